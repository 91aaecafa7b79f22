#include "tests/support/power_loss_vfs.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>

namespace satchel::test {
namespace {

bool is_durable(const char* path, int flags) {
    return path != nullptr && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
}

Bytes content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

}  // namespace

class PowerLossVfs::File final : public meta::VfsFile {
public:
    // `content` is null for a file that nothing durable depends on.
    File(sqlite3_file* below, PowerLossVfs& owner, Content* content)
        : VfsFile(below), owner_(owner), content_(content) {}

    int write(const void* from, int n, sqlite3_int64 at) override {
        if (!owner_.supply_.next_call()) return SQLITE_IOERR_WRITE;
        const int code = VfsFile::write(from, n, at);
        if (code == SQLITE_OK && content_ != nullptr) {
            const auto* bytes = static_cast<const std::byte*>(from);
            const std::lock_guard lock(owner_.mutex_);
            content_->pending.push_back({static_cast<std::uint64_t>(at), Bytes(bytes, bytes + n)});
        }
        return code;
    }
    int truncate(sqlite3_int64 size) override {
        if (!owner_.supply_.next_call()) return SQLITE_IOERR_TRUNCATE;
        const int code = VfsFile::truncate(size);
        if (code == SQLITE_OK && content_ != nullptr) {
            const std::lock_guard lock(owner_.mutex_);
            content_->pending.push_back({static_cast<std::uint64_t>(size), {}});
        }
        return code;
    }
    // Spares the tests' own disk: here only the model knows what is durable.
    int sync(int /*flags*/) override {
        if (!owner_.supply_.next_call()) return SQLITE_IOERR_FSYNC;
        if (content_ == nullptr) return SQLITE_OK;
        const std::lock_guard lock(owner_.mutex_);
        for (const Change& change : content_->pending) apply(change, content_->durable);
        content_->pending.clear();
        content_->has_durable_name = true;
        return SQLITE_OK;
    }

private:
    PowerLossVfs& owner_;
    Content* content_;
};

void PowerLossVfs::apply(const Change& change, Bytes& content) {
    if (change.bytes.empty()) {
        content.resize(change.at);
        return;
    }
    content.resize(std::max<std::size_t>(content.size(), change.at + change.bytes.size()));
    std::ranges::copy(change.bytes, content.begin() + static_cast<std::ptrdiff_t>(change.at));
}

int PowerLossVfs::before_open(const char* path, int flags) {
    if (supply_.is_off()) return SQLITE_CANTOPEN;
    if (!is_durable(path, flags) || !std::filesystem::exists(path)) return SQLITE_OK;
    const std::lock_guard lock(mutex_);
    const auto [at, is_new] = contents_.try_emplace(path);
    if (is_new) {
        at->second.durable = content_of(path);
        at->second.has_durable_name = true;
    }
    return SQLITE_OK;
}

std::unique_ptr<meta::VfsFile> PowerLossVfs::wrap(const char* path,
                                                  sqlite3_file* below,
                                                  int flags) {
    if (!is_durable(path, flags)) return std::make_unique<File>(below, *this, nullptr);
    const std::lock_guard lock(mutex_);
    Content& content = contents_[path];
    if (content.is_removed) content = Content{};
    return std::make_unique<File>(below, *this, &content);
}

int PowerLossVfs::remove(const char* path, int sync_folder) {
    if (!supply_.next_call()) return SQLITE_IOERR_DELETE;
    const int code = VfsOver::remove(path, sync_folder);
    const std::lock_guard lock(mutex_);
    const auto at = contents_.find(path);
    if (code == SQLITE_OK && at != contents_.end()) {
        at->second.is_removed = true;
        at->second.removal_is_durable = sync_folder != 0;
    }
    return code;
}

// What a disk writes as a whole.
std::vector<PowerLossVfs::Change> PowerLossVfs::sectors_of(const Change& change) {
    constexpr std::uint64_t sector_bytes = 512;
    std::vector<Change> sectors;
    const ByteView bytes = change.bytes;
    for (std::size_t done = 0; done < bytes.size();) {
        const std::uint64_t at = change.at + done;
        const std::size_t size =
            std::min<std::size_t>(bytes.size() - done, sector_bytes - at % sector_bytes);
        const ByteView part = bytes.subspan(done, size);
        sectors.push_back({at, Bytes(part.begin(), part.end())});
        done += size;
    }
    return sectors;
}

void PowerLossVfs::survive(const std::filesystem::path& target,
                           Unsynced unsynced,
                           unsigned seed) const {
    std::mt19937 chance(seed);
    const auto stays = [&] {
        if (unsynced == Unsynced::some) return (chance() & 1U) != 0;
        return unsynced == Unsynced::there;
    };
    const std::lock_guard lock(mutex_);
    for (const auto& [path, content] : contents_) {
        if (content.is_removed && (content.removal_is_durable || stays())) continue;
        if (!content.has_durable_name && !stays()) continue;
        Bytes left = content.durable;
        for (const Change& change : content.pending) {
            if (change.bytes.empty()) {
                if (stays()) apply(change, left);
                continue;
            }
            for (const Change& sector : sectors_of(change)) {
                if (stays()) apply(sector, left);
            }
        }
        std::ofstream file(target / std::filesystem::path(path).filename(), std::ios::binary);
        file.write(reinterpret_cast<const char*>(left.data()),
                   static_cast<std::streamsize>(left.size()));
    }
}

}  // namespace satchel::test
