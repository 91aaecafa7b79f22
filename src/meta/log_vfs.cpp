#include "meta/log_vfs.hpp"

namespace satchel::meta {
namespace {

// What the engine writes first into a log (docs of SQLite: "WAL header").
constexpr int header_bytes = 32;

class LogFile final : public VfsFile {
public:
    LogFile(sqlite3_file* below, std::atomic<std::uint64_t>& left_out)
        : VfsFile(below), left_out_(left_out) {}

    int write(const void* from, int n, sqlite3_int64 at) override {
        const bool begins = is_empty_ && at == 0 && n == header_bytes;
        if (!begins) needs_sync_ = true;
        is_empty_ = false;
        return VfsFile::write(from, n, at);
    }
    int truncate(sqlite3_int64 size) override {
        const int code = VfsFile::truncate(size);
        is_empty_ = code == SQLITE_OK && size == 0;
        needs_sync_ = true;
        return code;
    }
    int sync(int flags) override {
        if (!needs_sync_) {
            ++left_out_;
            return SQLITE_OK;
        }
        const int code = VfsFile::sync(flags);
        if (code == SQLITE_OK) needs_sync_ = false;
        return code;
    }

private:
    std::atomic<std::uint64_t>& left_out_;
    bool is_empty_ = false;   // Cut, and nothing written since.
    bool needs_sync_ = true;  // Something was written, or may have been, that was not synced.
};

}  // namespace

LogVfs::LogVfs(const std::string& base) : VfsOver(unique_vfs_name("satchel-log", this), base) {}

std::unique_ptr<VfsFile> LogVfs::wrap(const char* /*path*/, sqlite3_file* below, int flags) {
    if ((flags & SQLITE_OPEN_WAL) == 0) return std::make_unique<VfsFile>(below);
    return std::make_unique<LogFile>(below, left_out_);
}

}  // namespace satchel::meta
