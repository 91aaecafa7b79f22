// The deletion audit as values. How its parts are hashed and signed: crypto/audit_chain.hpp; what
// that proves: docs/formats/audit.md.
#pragma once

#include "base/clock.hpp"
#include "model/ids.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace satchel {

using AuditHash = std::array<std::byte, 32>;       // SHA-256
using AuditKey = std::array<std::byte, 32>;        // Ed25519, public.
using AuditSignature = std::array<std::byte, 64>;  // Ed25519

struct AuditEntry {
    Time at{};
    PartnerId partner;
    AttachmentId attachment;
    std::string cause;  // "delete", "expired", "upload_failed"; docs/formats/audit.md has them all.
    std::string actor;  // "key:<id>", "sweeper", "operator"
};

// An entry in its place. Entries count from 1 without gaps.
struct AuditLink {
    std::uint64_t seq = 0;
    AuditEntry entry;
    AuditHash hash{};  // Of the one before it and of this one.
};

// A point of the chain: everything up to and including entry `seq`.
struct AuditPosition {
    std::uint64_t seq = 0;  // 0: before the first entry.
    AuditHash hash{};
    bool operator==(const AuditPosition&) const = default;
};

// What the first entry's hash is made over.
struct AuditOrigin {
    Time begun_at{};
    std::uint64_t inherited = 0;  // Entries that were there before the chain was begun.
};

// A position that somebody outside keeps: whoever has it notices if the chain ever loses it.
struct AuditHead {
    AuditPosition position;
    Time issued_at{};
    AuditKey key{};
    AuditSignature signature{};
};

// Says that an entry stood in the chain that then ended in `head`.
struct AuditReceipt {
    AuditLink link;
    AuditHash previous{};
    AuditPosition head;
    Time issued_at{};
    AuditKey key{};
    AuditSignature signature{};
};

// Positions from heads and receipts, by seq.
using AuditAnchors = std::map<std::uint64_t, AuditHash>;

}  // namespace satchel
