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

#include "meta/vfs_over.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace satchel::meta {

class LogVfs final : public VfsOver {
public:
    // Over the VFS `base`; empty: the system's.
    explicit LogVfs(const std::string& base);

    std::uint64_t syncs_left_out() const { return left_out_.load(); }

private:
    std::unique_ptr<VfsFile> wrap(const char* path, sqlite3_file* below, int flags) override;

    std::atomic<std::uint64_t> left_out_{0};
};

}  // namespace satchel::meta
