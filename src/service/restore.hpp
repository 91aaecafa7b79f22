// Makes a store out of a backup, beside the place where it is to stand, and proves it whole.
#pragma once

#include "base/async.hpp"
#include "blob/disk.hpp"
#include "crypto/key_ring.hpp"
#include "model/audit.hpp"
#include "service/backup_manifest.hpp"
#include "service/fsck.hpp"
#include "service/ledger.hpp"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace satchel {

// All of it outlives the restore.
struct RestoreParts {
    const crypto::KeyRing& keys;
    BlockingPool& pool;
    blob::Disk& disk;
};

struct StagedPaths {
    std::filesystem::path database;
    std::filesystem::path blobs;
};

struct StagedStore {
    LedgerOutcome ledger;
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;  // Of their files.
    FsckReport check;         // Of the staged store: every row, every frame, the audit.
};

// Copies the backup in `folder`, which `manifest` describes, to `staged`, whose places are made
// anew, and deletes there what `ledger` says, the entries of the audit that follow the backup's.
// Everything is durable. Errors, with a line for the operator: Errc::corrupt if the database is
// not the one that was backed up, the keys are not its keys or the ledger does not follow it;
// Errc::unavailable. What is damaged beyond that is in `check`.
Async<StagedStore> stage_backup(RestoreParts parts,
                                std::filesystem::path folder,
                                BackupManifest manifest,
                                std::vector<AuditLink> ledger,
                                StagedPaths staged);

// Removes what was staged; what is absent is removed.
Result<> remove_staged(const StagedPaths& staged);

}  // namespace satchel
