#include "meta/vfs_over.hpp"

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace satchel::meta {
namespace {

// SQLite allocates this with the file of the VFS below right behind it.
struct OpenFile {
    sqlite3_file head;
    VfsFile* file;
};

VfsFile& file_of(sqlite3_file* f) {
    return *reinterpret_cast<OpenFile*>(f)->file;
}

sqlite3_file* below(sqlite3_file* f) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<std::byte*>(f) + sizeof(OpenFile));
}

const sqlite3_io_methods& io(sqlite3_file* f) {
    return *below(f)->pMethods;
}

// SQLite is C: nothing may be thrown through it. Memory that runs out ends the process.
struct FileCalls {
    static int close(sqlite3_file* f) noexcept {
        delete std::exchange(reinterpret_cast<OpenFile*>(f)->file, nullptr);
        return io(f).xClose(below(f));
    }
    static int read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) noexcept {
        return file_of(f).read(to, n, at);
    }
    static int write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) noexcept {
        return file_of(f).write(from, n, at);
    }
    static int truncate(sqlite3_file* f, sqlite3_int64 size) noexcept {
        return file_of(f).truncate(size);
    }
    static int sync(sqlite3_file* f, int flags) noexcept { return file_of(f).sync(flags); }
    static int file_size(sqlite3_file* f, sqlite3_int64* out) noexcept {
        return io(f).xFileSize(below(f), out);
    }
    static int lock(sqlite3_file* f, int level) noexcept { return io(f).xLock(below(f), level); }
    static int unlock(sqlite3_file* f, int level) noexcept {
        return io(f).xUnlock(below(f), level);
    }
    static int check_lock(sqlite3_file* f, int* out) noexcept {
        return io(f).xCheckReservedLock(below(f), out);
    }
    static int control(sqlite3_file* f, int op, void* arg) noexcept {
        return io(f).xFileControl(below(f), op, arg);
    }
    static int sector_size(sqlite3_file* f) noexcept { return io(f).xSectorSize(below(f)); }
    static int device(sqlite3_file* f) noexcept { return io(f).xDeviceCharacteristics(below(f)); }
    static int shm_map(
        sqlite3_file* f, int page, int size, int extend, void volatile** out) noexcept {
        return io(f).xShmMap(below(f), page, size, extend, out);
    }
    static int shm_lock(sqlite3_file* f, int offset, int n, int flags) noexcept {
        return io(f).xShmLock(below(f), offset, n, flags);
    }
    static void shm_barrier(sqlite3_file* f) noexcept { io(f).xShmBarrier(below(f)); }
    static int shm_unmap(sqlite3_file* f, int remove) noexcept {
        return io(f).xShmUnmap(below(f), remove);
    }

    // Version 2: shared memory for the log, no memory-mapped reads.
    static constexpr sqlite3_io_methods table{
        2,        close,       read,       write,   truncate,    sync,   file_size,
        lock,     unlock,      check_lock, control, sector_size, device, shm_map,
        shm_lock, shm_barrier, shm_unmap,  nullptr, nullptr};
};

}  // namespace

// Calls that name a file go to the VFS below as its own: one that stands there in its turn finds
// itself.
struct VfsCalls {
    static VfsOver& of(sqlite3_vfs* vfs) {
        return *reinterpret_cast<VfsOver::Registered*>(vfs)->owner;
    }
    static int open(sqlite3_vfs* vfs,
                    const char* path,
                    sqlite3_file* file,
                    int flags,
                    int* out_flags) noexcept {
        VfsOver& owner = of(vfs);
        file->pMethods = nullptr;
        int code = owner.before_open(path, flags);
        if (code != SQLITE_OK) return code;
        code = owner.base_->xOpen(owner.base_, path, below(file), flags, out_flags);
        if (code != SQLITE_OK) return code;
        reinterpret_cast<OpenFile*>(file)->file = owner.wrap(path, below(file), flags).release();
        file->pMethods = &FileCalls::table;
        return SQLITE_OK;
    }
    static int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) noexcept {
        return of(vfs).remove(path, sync_folder);
    }
    static int access(sqlite3_vfs* vfs, const char* path, int flags, int* out) noexcept {
        sqlite3_vfs* const base = of(vfs).base_;
        return base->xAccess(base, path, flags, out);
    }
    static int full_path(sqlite3_vfs* vfs, const char* path, int n, char* out) noexcept {
        sqlite3_vfs* const base = of(vfs).base_;
        return base->xFullPathname(base, path, n, out);
    }
};

std::string unique_vfs_name(const std::string& kind, const void* owner) {
    return kind + "-" + std::to_string(reinterpret_cast<std::uintptr_t>(owner));
}

VfsOver::VfsOver(std::string name, const std::string& base)
    : name_(std::move(name)), base_(sqlite3_vfs_find(base.empty() ? nullptr : base.c_str())) {
    ASSERT(base_ != nullptr);
    registered_ = {*base_, this};
    sqlite3_vfs& vfs = registered_.vfs;
    vfs.pNext = nullptr;
    vfs.zName = name_.c_str();
    vfs.szOsFile = static_cast<int>(sizeof(OpenFile)) + base_->szOsFile;
    vfs.xOpen = &VfsCalls::open;
    vfs.xDelete = &VfsCalls::remove;
    vfs.xAccess = &VfsCalls::access;
    vfs.xFullPathname = &VfsCalls::full_path;
    sqlite3_vfs_register(&vfs, 0);
}

VfsOver::~VfsOver() {
    sqlite3_vfs_unregister(&registered_.vfs);
}

}  // namespace satchel::meta
