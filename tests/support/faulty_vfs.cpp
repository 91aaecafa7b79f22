#include "tests/support/faulty_vfs.hpp"

#include <utility>

namespace satchel::test {

class FaultyVfs::File final : public meta::VfsFile {
public:
    File(sqlite3_file* below, FaultyVfs& owner) : VfsFile(below), owner_(owner) {}

    int write(const void* from, int n, sqlite3_int64 at) override {
        if (!owner_.fails_now()) return VfsFile::write(from, n, at);
        if (owner_.fault_ == Fault::short_write && n > 1) VfsFile::write(from, n / 2, at);
        return owner_.error_or(SQLITE_IOERR_WRITE);
    }
    int truncate(sqlite3_int64 size) override {
        return owner_.fails_now() ? SQLITE_IOERR_TRUNCATE : VfsFile::truncate(size);
    }
    // Spares the tests' own disk: nothing here cuts the power.
    int sync(int /*flags*/) override { return owner_.fails_now() ? SQLITE_IOERR_FSYNC : SQLITE_OK; }

private:
    FaultyVfs& owner_;
};

FaultyVfs::FaultyVfs(std::string name) : VfsOver(std::move(name), "") {}

std::unique_ptr<meta::VfsFile> FaultyVfs::wrap(const char* /*path*/,
                                               sqlite3_file* below,
                                               int /*flags*/) {
    return std::make_unique<File>(below, *this);
}

void FaultyVfs::arm(int call, Fault fault, Lasting lasting) {
    armed_ = false;
    calls_ = 0;
    failed_ = false;
    fail_at_ = call;
    fault_ = fault;
    lasting_ = lasting;
    armed_ = true;
}

bool FaultyVfs::fails_now() {
    if (!armed_) return false;
    const int call = calls_++;
    const bool fails = call == fail_at_ || (call > fail_at_ && lasting_.load() == Lasting::yes);
    if (fails) failed_ = true;
    return fails;
}

int FaultyVfs::error_or(int io_error) const {
    return fault_.load() == Fault::disk_full ? SQLITE_FULL : io_error;
}

}  // namespace satchel::test
