// Makes a backup of a store that is in use, into a folder. What lies there: docs/formats/backup.md.
//
// Order (docs/adr/0018-backups.md): blobs that rows refer to now -> copy of the database, of one
// moment -> blobs that this copy refers to and that are not there yet -> in the copy, what was
// deleted since that moment -> manifest, durable -> what the folder held and the store no longer
// does, removed. Until the new manifest stands the folder's earlier backup is whole.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "blob/disk.hpp"
#include "crypto/key_ring.hpp"
#include "meta/database.hpp"
#include "service/backup_manifest.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>

namespace satchel {

// All of it outlives the backup.
struct BackupParts {
    meta::Database& database;  // Opened with `keys`, to write.
    const crypto::KeyRing& keys;
    BlockingPool& pool;
    blob::Disk& disk;
    std::filesystem::path blobs;  // Of the FileStore.
    const Clock& clock;
};

// For whoever waits. Usable from every thread.
struct BackupProgress {
    std::atomic<std::uint64_t> blobs{0};  // Looked at.
    std::atomic<std::uint64_t> bytes{0};  // Copied.
    std::atomic<bool> stop{false};        // Set it, and the backup ends with Errc::unavailable.
};

struct BackupReport {
    BackupManifest manifest;
    std::uint64_t copied_blobs = 0;
    std::uint64_t copied_bytes = 0;
    std::uint64_t removed_blobs = 0;  // From the folder.
};

// Whether a backup of the store with this audit key may go into `folder`: it is absent, empty, or
// has an earlier one of the same store. Blocks. Errc::conflict, with a line for the operator.
Result<> check_backup_folder(const std::filesystem::path& folder,
                             const std::filesystem::path& blobs,
                             const AuditKey& key);

// `folder` passed check_backup_folder(), and nobody else writes to it. The error's `message` is a
// line for the operator.
Async<BackupReport> make_backup(BackupParts parts,
                                std::filesystem::path folder,
                                BackupProgress& progress);

}  // namespace satchel
