// Deletes in a database that is behind what its deletion audit has recorded since, so that a
// backup brings nothing back that was deleted after it was taken.
#pragma once

#include "base/async.hpp"
#include "meta/database.hpp"
#include "model/audit.hpp"

#include <cstdint>
#include <span>

namespace satchel {

struct LedgerOutcome {
    std::uint64_t entries = 0;  // Carried over.
    std::uint64_t deleted = 0;  // Attachments that were still there.
};

// `links` follow each other, and the first follows the audit's end in `database`, which has its
// keys; Errc::corrupt with a line for the operator in `message` if not: then nothing of the batch
// that does not fit is written. Afterwards the audit of `database` ends as `links` do, and keys,
// names and rows of what they name are gone from its files. Blobs stay for the caller; they are
// in blob_removals.
Async<LedgerOutcome> apply_ledger(meta::Database& database, std::span<const AuditLink> links);

// Where the audit of `database` ends.
Async<AuditPosition> audit_end_of(meta::Database& database);

// Empties blob_removals, for a store in which those bytes never were.
Async<> forget_removed_blobs(meta::Database& database);

}  // namespace satchel
