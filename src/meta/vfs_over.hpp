// A SQLite VFS over another one, which changes what some calls do and hands on all others.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>

namespace satchel::meta {

// An open file of such a VFS. The calls are SQLite's own (sqlite3_io_methods) with its codes; those
// that are not overridden go to the file below. One thread at a time, as SQLite has it.
class VfsFile {
public:
    explicit VfsFile(sqlite3_file* below) : below_(below) {}
    virtual ~VfsFile() = default;
    VfsFile(const VfsFile&) = delete;
    VfsFile& operator=(const VfsFile&) = delete;

    virtual int read(void* to, int n, sqlite3_int64 at) {
        return below_->pMethods->xRead(below_, to, n, at);
    }
    virtual int write(const void* from, int n, sqlite3_int64 at) {
        return below_->pMethods->xWrite(below_, from, n, at);
    }
    virtual int truncate(sqlite3_int64 size) { return below_->pMethods->xTruncate(below_, size); }
    virtual int sync(int flags) { return below_->pMethods->xSync(below_, flags); }

    sqlite3_file* below() const { return below_; }

private:
    sqlite3_file* below_;
};

// For a VFS that there may be several of: one for each database that is open.
std::string unique_vfs_name(const std::string& kind, const void* owner);

// Memory-mapped reads go past it: they are not offered. Thread-safe as far as the overridden calls
// are.
class VfsOver {
public:
    VfsOver(const VfsOver&) = delete;
    VfsOver& operator=(const VfsOver&) = delete;

    // For sqlite3_open_v2() and for another VFS over this one.
    const std::string& name() const { return name_; }

protected:
    // Registers itself over the VFS called `base`; empty: the system's. `name` must be used by no
    // other: unique_vfs_name() makes one.
    VfsOver(std::string name, const std::string& base);
    // Files that were opened through it are closed before.
    virtual ~VfsOver();

    // SQLITE_OK, or why this file cannot be opened. `path` is null for a temporary file; `flags`
    // are those of xOpen.
    virtual int before_open(const char* /*path*/, int /*flags*/) { return SQLITE_OK; }
    // `below` was just opened there.
    virtual std::unique_ptr<VfsFile> wrap(const char* path, sqlite3_file* below, int flags) = 0;
    virtual int remove(const char* path, int sync_folder) {
        return base_->xDelete(base_, path, sync_folder);
    }

private:
    friend struct VfsCalls;
    // What SQLite hands back is found to be the owner's by what stands behind it.
    struct Registered {
        sqlite3_vfs vfs;
        VfsOver* owner;
    };

    const std::string name_;
    sqlite3_vfs* const base_;
    Registered registered_{};
};

}  // namespace satchel::meta
