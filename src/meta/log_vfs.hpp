// A SQLite VFS over another one that leaves out syncs of the write-ahead log which make nothing
// durable that was not: for the connection that alone writes.
//
// SQLite syncs the log three times around a commit whose log is then copied and cut: its new
// header, its frames, and once more before copying. Left out are
//   - a sync after which, and since the last of this file, nothing was written through this
//     connection; what others wrote, they have synced (synchronous=FULL);
//   - the sync of a header written into an empty log. It keeps the header ahead of its frames on
//     the disk, lest old frames are taken for new ones: there are none. The sync of the frames,
//     before which no commit is acknowledged, covers both. The writer makes the cut itself
//     durable (SqliteWriter::empty_log), so nothing of the old log can come back between them.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace satchel::meta {

class LogVfs {
public:
    // Registers itself over the VFS `base`; empty: the system's. Files opened through it must be
    // closed before it goes.
    explicit LogVfs(const std::string& base);
    ~LogVfs();
    LogVfs(const LogVfs&) = delete;
    LogVfs& operator=(const LogVfs&) = delete;

    const std::string& name() const { return name_; }
    std::uint64_t syncs_left_out() const { return left_out_.load(); }

private:
    struct File;
    friend struct LogMethods;
    static int open(sqlite3_vfs*, const char*, sqlite3_file*, int, int*);

    std::string name_;
    sqlite3_vfs* base_;
    sqlite3_vfs vfs_{};
    std::atomic<std::uint64_t> left_out_{0};
};

}  // namespace satchel::meta
