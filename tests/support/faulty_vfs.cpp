#include "tests/support/faulty_vfs.hpp"

#include <cstddef>
#include <utility>

namespace satchel::test {

// SQLite allocates this with the system's file right behind it.
struct FaultyVfs::File {
    sqlite3_file head;
    FaultyVfs* owner;

    static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
    static sqlite3_file* inner(sqlite3_file* file) {
        return reinterpret_cast<sqlite3_file*>(reinterpret_cast<std::byte*>(file) + sizeof(File));
    }
};

struct FileMethods {
    using File = FaultyVfs::File;

    static sqlite3_file* in(sqlite3_file* f) { return File::inner(f); }
    static const sqlite3_io_methods& io(sqlite3_file* f) { return *in(f)->pMethods; }

    static int close(sqlite3_file* f) { return io(f).xClose(in(f)); }
    static int read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
        return io(f).xRead(in(f), to, n, at);
    }
    static int write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
        FaultyVfs& owner = *File::of(f).owner;
        if (!owner.fails_now()) return io(f).xWrite(in(f), from, n, at);
        if (owner.fault_ == FaultyVfs::Fault::short_write && n > 1) {
            io(f).xWrite(in(f), from, n / 2, at);
        }
        return owner.error_or(SQLITE_IOERR_WRITE);
    }
    static int truncate(sqlite3_file* f, sqlite3_int64 size) {
        if (File::of(f).owner->fails_now()) return SQLITE_IOERR_TRUNCATE;
        return io(f).xTruncate(in(f), size);
    }
    static int sync(sqlite3_file* f, int flags) {
        if (File::of(f).owner->fails_now()) return SQLITE_IOERR_FSYNC;
        return io(f).xSync(in(f), flags);
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

FaultyVfs::FaultyVfs(std::string name) : name_(std::move(name)), base_(sqlite3_vfs_find(nullptr)) {
    vfs_ = *base_;
    vfs_.pNext = nullptr;
    vfs_.zName = name_.c_str();
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + base_->szOsFile;
    // Everything else the system's VFS does with its own pAppData, which the copy keeps; the
    // owner is found from the address of vfs_.
    vfs_.xOpen = &FaultyVfs::open;
    sqlite3_vfs_register(&vfs_, 0);
}

FaultyVfs::~FaultyVfs() {
    sqlite3_vfs_unregister(&vfs_);
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

int FaultyVfs::open(
    sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    auto* const owner =
        reinterpret_cast<FaultyVfs*>(reinterpret_cast<std::byte*>(vfs) - offsetof(FaultyVfs, vfs_));
    file->pMethods = nullptr;
    if (owner->fails_now()) return SQLITE_CANTOPEN;
    const int code = owner->base_->xOpen(owner->base_, path, File::inner(file), flags, out_flags);
    if (code == SQLITE_OK) {
        File::of(file).owner = owner;
        file->pMethods = &FileMethods::table;
    }
    return code;
}

}  // namespace satchel::test
