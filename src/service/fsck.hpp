// Compares metadata and stored bytes both ways.
#pragma once

#include "base/async.hpp"
#include "blob/store.hpp"
#include "crypto/key_ring.hpp"
#include "meta/database.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace satchel {

struct FsckFinding {
    // "missing_bytes", "corrupt_bytes", "corrupt_metadata", "corrupt_database", "stray_blob",
    // "unknown_file", "wrong_usage", "broken_audit".
    std::string kind;
    std::string subject;  // Attachment, blob or partner id, or the store's name of the thing.
    std::string detail;
    bool repaired = false;
};

struct FsckReport {
    std::uint64_t attachments = 0;
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;  // Decrypted and authenticated.
    std::uint64_t audit_entries = 0;
    std::vector<FsckFinding> findings;
    bool clean() const { return findings.empty(); }
};

// Reads every page of the database, every row, every frame and the whole audit. Findings are
// checked twice, so that what a running server is just doing is not reported. With `repair`, strays
// are removed and usage is counted again; bytes that are lost stay reported, because only a backup
// can bring them back.
enum class Repair : bool { no, yes };
// Whether the engine looks over its own structures (indexes, order of rows), in one long read:
// while a server runs on a large database, its deletions would have to wait for that.
enum class Structures : bool { leave, check };
Async<FsckReport> fsck(meta::Database& database,
                       blob::Store& blobs,
                       const crypto::KeyRing& keys,
                       Repair repair,
                       Structures structures = Structures::check);

}  // namespace satchel
