#include "meta/log_vfs.hpp"

#include "base/result.hpp"

#include <cstddef>

namespace satchel::meta {
namespace {

// What the engine writes first into a log (docs of SQLite: "WAL header").
constexpr int header_bytes = 32;

}  // namespace

// SQLite allocates this with the file of the VFS below right behind it.
struct LogVfs::File {
    sqlite3_file head;
    LogVfs* owner;
    bool is_log;
    bool is_empty;    // Cut, and nothing written since.
    bool needs_sync;  // Something was written, or may have been, that was not synced.

    static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
    static sqlite3_file* inner(sqlite3_file* file) {
        return reinterpret_cast<sqlite3_file*>(reinterpret_cast<std::byte*>(file) + sizeof(File));
    }
};

struct LogMethods {
    using File = LogVfs::File;

    static sqlite3_file* in(sqlite3_file* f) { return File::inner(f); }
    static const sqlite3_io_methods& io(sqlite3_file* f) { return *in(f)->pMethods; }

    static int close(sqlite3_file* f) { return io(f).xClose(in(f)); }
    static int read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
        return io(f).xRead(in(f), to, n, at);
    }
    static int write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
        File& file = File::of(f);
        const bool begins = file.is_empty && at == 0 && n == header_bytes;
        if (!begins) file.needs_sync = true;
        file.is_empty = false;
        return io(f).xWrite(in(f), from, n, at);
    }
    static int truncate(sqlite3_file* f, sqlite3_int64 size) {
        File& file = File::of(f);
        const int code = io(f).xTruncate(in(f), size);
        file.is_empty = file.is_log && code == SQLITE_OK && size == 0;
        file.needs_sync = true;
        return code;
    }
    static int sync(sqlite3_file* f, int flags) {
        File& file = File::of(f);
        if (file.is_log && !file.needs_sync) {
            ++file.owner->left_out_;
            return SQLITE_OK;
        }
        const int code = io(f).xSync(in(f), flags);
        if (code == SQLITE_OK) file.needs_sync = false;
        return code;
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

LogVfs::LogVfs(const std::string& base)
    : base_(sqlite3_vfs_find(base.empty() ? nullptr : base.c_str())) {
    ASSERT(base_ != nullptr);
    // One for each database that is open.
    name_ = "satchel-" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
    vfs_ = *base_;
    vfs_.pNext = nullptr;
    vfs_.zName = name_.c_str();
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + base_->szOsFile;
    // All else the VFS below does with its own pAppData, which the copy keeps; the owner is found
    // from the address of vfs_.
    vfs_.xOpen = &LogVfs::open;
    sqlite3_vfs_register(&vfs_, 0);
}

LogVfs::~LogVfs() {
    sqlite3_vfs_unregister(&vfs_);
}

int LogVfs::open(
    sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    auto* const owner =
        reinterpret_cast<LogVfs*>(reinterpret_cast<std::byte*>(vfs) - offsetof(LogVfs, vfs_));
    file->pMethods = nullptr;
    const int code = owner->base_->xOpen(owner->base_, path, File::inner(file), flags, out_flags);
    if (code != SQLITE_OK) return code;
    File& opened = File::of(file);
    opened.owner = owner;
    opened.is_log = (flags & SQLITE_OPEN_WAL) != 0;
    opened.is_empty = false;
    opened.needs_sync = true;
    file->pMethods = &LogMethods::table;
    return SQLITE_OK;
}

}  // namespace satchel::meta
