#include "tests/support/power_loss_vfs.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>

namespace satchel::test {
namespace {

constexpr int durable_flags = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL;

Bytes content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

}  // namespace

// SQLite allocates this with the system's file right behind it.
struct PowerLossVfs::File {
    sqlite3_file head;
    PowerLossVfs* owner;
    Content* content;  // Null: a file that nothing durable depends on.

    static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
    static sqlite3_file* inner(sqlite3_file* file) {
        return reinterpret_cast<sqlite3_file*>(reinterpret_cast<std::byte*>(file) + sizeof(File));
    }
};

struct PowerLossMethods {
    using File = PowerLossVfs::File;

    static sqlite3_file* in(sqlite3_file* f) { return File::inner(f); }
    static const sqlite3_io_methods& io(sqlite3_file* f) { return *in(f)->pMethods; }

    static int close(sqlite3_file* f) { return io(f).xClose(in(f)); }
    static int read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
        return io(f).xRead(in(f), to, n, at);
    }
    static int write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
        const File& file = File::of(f);
        if (!file.owner->supply_.next_call()) return SQLITE_IOERR_WRITE;
        const int code = io(f).xWrite(in(f), from, n, at);
        if (code == SQLITE_OK && file.content != nullptr) {
            const auto* bytes = static_cast<const std::byte*>(from);
            const std::lock_guard lock(file.owner->mutex_);
            file.content->pending.push_back(
                {static_cast<std::uint64_t>(at), Bytes(bytes, bytes + n)});
        }
        return code;
    }
    static int truncate(sqlite3_file* f, sqlite3_int64 size) {
        const File& file = File::of(f);
        if (!file.owner->supply_.next_call()) return SQLITE_IOERR_TRUNCATE;
        const int code = io(f).xTruncate(in(f), size);
        if (code == SQLITE_OK && file.content != nullptr) {
            const std::lock_guard lock(file.owner->mutex_);
            file.content->pending.push_back({static_cast<std::uint64_t>(size), {}});
        }
        return code;
    }
    // Spares the tests' own disk: here only the model knows what is durable.
    static int sync(sqlite3_file* f, int /*flags*/) {
        const File& file = File::of(f);
        if (!file.owner->supply_.next_call()) return SQLITE_IOERR_FSYNC;
        if (file.content == nullptr) return SQLITE_OK;
        const std::lock_guard lock(file.owner->mutex_);
        for (const auto& change : file.content->pending) {
            PowerLossVfs::apply(change, file.content->durable);
        }
        file.content->pending.clear();
        file.content->has_durable_name = true;
        return SQLITE_OK;
    }
    static int file_size(sqlite3_file* f, sqlite3_int64* out) {
        return io(f).xFileSize(in(f), out);
    }
    static int lock(sqlite3_file* f, int level) { return io(f).xLock(in(f), level); }
    static int unlock(sqlite3_file* f, int level) { return io(f).xUnlock(in(f), level); }
    static int check_lock(sqlite3_file* f, int* out) {
        return io(f).xCheckReservedLock(in(f), out);
    }
    static int control(sqlite3_file* f, int op, void* arg) {
        return io(f).xFileControl(in(f), op, arg);
    }
    static int sector_size(sqlite3_file* f) { return io(f).xSectorSize(in(f)); }
    static int device(sqlite3_file* f) { return io(f).xDeviceCharacteristics(in(f)); }
    static int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
        return io(f).xShmMap(in(f), page, size, extend, out);
    }
    static int shm_lock(sqlite3_file* f, int offset, int n, int flags) {
        return io(f).xShmLock(in(f), offset, n, flags);
    }
    static void shm_barrier(sqlite3_file* f) { io(f).xShmBarrier(in(f)); }
    static int shm_unmap(sqlite3_file* f, int remove) { return io(f).xShmUnmap(in(f), remove); }

    // Version 2: shared memory for the log, no memory-mapped reads.
    static constexpr sqlite3_io_methods table{
        2,        close,       read,       write,   truncate,    sync,   file_size,
        lock,     unlock,      check_lock, control, sector_size, device, shm_map,
        shm_lock, shm_barrier, shm_unmap,  nullptr, nullptr};
};

PowerLossVfs::PowerLossVfs(std::string name, PowerSupply& supply)
    : name_(std::move(name)), supply_(supply), base_(sqlite3_vfs_find(nullptr)) {
    registered_ = {*base_, this};
    sqlite3_vfs& vfs = registered_.vfs;
    vfs.pNext = nullptr;
    vfs.zName = name_.c_str();
    vfs.szOsFile = static_cast<int>(sizeof(File)) + base_->szOsFile;
    // Everything else the system's VFS does with its own pAppData, which the copy keeps.
    vfs.xOpen = &PowerLossVfs::open;
    vfs.xDelete = &PowerLossVfs::remove;
    sqlite3_vfs_register(&vfs, 0);
    const std::lock_guard lock(registry().mutex);
    registry().all.push_back(this);
}

PowerLossVfs::~PowerLossVfs() {
    {
        const std::lock_guard lock(registry().mutex);
        std::erase(registry().all, this);
    }
    sqlite3_vfs_unregister(&registered_.vfs);
}

PowerLossVfs::Registry& PowerLossVfs::registry() {
    static Registry all;
    return all;
}

PowerLossVfs& PowerLossVfs::of(sqlite3_vfs* vfs) {
    return *reinterpret_cast<Registered*>(vfs)->owner;
}

void PowerLossVfs::apply(const Change& change, Bytes& content) {
    if (change.bytes.empty()) {
        content.resize(change.at);
        return;
    }
    content.resize(std::max<std::size_t>(content.size(), change.at + change.bytes.size()));
    std::ranges::copy(change.bytes, content.begin() + static_cast<std::ptrdiff_t>(change.at));
}

int PowerLossVfs::open(
    sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    PowerLossVfs& owner = of(vfs);
    file->pMethods = nullptr;
    if (owner.supply_.is_off()) return SQLITE_CANTOPEN;
    const bool is_durable = path != nullptr && (flags & durable_flags) != 0;
    const bool was_there = is_durable && std::filesystem::exists(path);
    const int code = owner.base_->xOpen(owner.base_, path, File::inner(file), flags, out_flags);
    if (code != SQLITE_OK) return code;
    File::of(file).owner = &owner;
    File::of(file).content = nullptr;
    file->pMethods = &PowerLossMethods::table;
    if (!is_durable) return SQLITE_OK;
    const std::lock_guard lock(owner.mutex_);
    const auto [at, is_new] = owner.contents_.try_emplace(path);
    if (is_new && was_there) {
        at->second.durable = content_of(path);
        at->second.has_durable_name = true;
    }
    if (std::exchange(at->second.is_removed, false)) {
        at->second.removal_is_durable = false;
        at->second.has_durable_name = false;
        at->second.durable.clear();
        at->second.pending.clear();
    }
    File::of(file).content = &at->second;
    return SQLITE_OK;
}

// Another VFS over this one hands its own pointer down: the owner is found by the file's path.
PowerLossVfs* PowerLossVfs::owner_of(const char* path) {
    const std::lock_guard lock(registry().mutex);
    for (PowerLossVfs* each : registry().all) {
        const std::lock_guard contents(each->mutex_);
        if (each->contents_.contains(path)) return each;
    }
    return nullptr;
}

int PowerLossVfs::remove(sqlite3_vfs* /*vfs*/, const char* path, int sync_folder) {
    PowerLossVfs* const found = owner_of(path);
    if (found == nullptr) {
        sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
        return system->xDelete(system, path, sync_folder);
    }
    PowerLossVfs& owner = *found;
    if (!owner.supply_.next_call()) return SQLITE_IOERR_DELETE;
    const int code = owner.base_->xDelete(owner.base_, path, sync_folder);
    const std::lock_guard lock(owner.mutex_);
    const auto at = owner.contents_.find(path);
    if (code == SQLITE_OK && at != owner.contents_.end()) {
        at->second.is_removed = true;
        at->second.removal_is_durable = sync_folder != 0;
    }
    return code;
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
            if (stays()) apply(change, left);
        }
        std::ofstream file(target / std::filesystem::path(path).filename(), std::ios::binary);
        file.write(reinterpret_cast<const char*>(left.data()),
                   static_cast<std::streamsize>(left.size()));
    }
}

}  // namespace satchel::test
