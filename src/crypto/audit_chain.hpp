// The hash chain of the deletion audit, and what is signed about it. Bytes: docs/formats/audit.md.
//
// Every purpose has a label of its own in front of what is signed: a head or a receipt that was
// handed out cannot be put into the database as its end.
#pragma once

#include "crypto/ed25519.hpp"
#include "crypto/key.hpp"
#include "model/audit.hpp"

#include <optional>
#include <string>

namespace satchel::crypto {

AuditHash origin_hash(const AuditKey& key, const AuditOrigin& origin);
AuditHash entry_hash(const AuditHash& previous, std::uint64_t seq, const AuditEntry& entry);

// Immutable; usable from every thread.
class AuditSigner {
public:
    // The database's own key: the same for its life, whatever becomes of the master key.
    explicit AuditSigner(const Key& text_key);

    const AuditKey& key() const { return signing_.public_key(); }
    // For the database itself.
    AuditSignature sign_end(const AuditPosition& end) const;
    // For others to keep.
    AuditHead head(const AuditPosition& position, Time issued_at) const;
    // Of an entry that was found in a chain without a break that ends in `head`.
    AuditReceipt receipt(AuditLink link,
                         const AuditHash& previous,
                         const AuditPosition& head,
                         Time issued_at) const;

private:
    SigningKey signing_;
};

bool is_signed_end(const AuditKey& key, const AuditPosition& end, const AuditSignature& signature);
// Whether it says what the owner of the key in it has signed. Whose key that is, the caller knows.
bool is_signed(const AuditHead& head);
bool is_signed(const AuditReceipt& receipt);

// Follows a chain link by link, up to the first thing that is wrong.
class AuditWalk {
public:
    // `anchors` are compared with what stands in their places; those before `start` are not.
    AuditWalk(const AuditPosition& start, AuditAnchors anchors);

    void step(const AuditLink& link);
    // No link is left, and `signed_end` is what the last one has to be.
    void finish(const AuditPosition& signed_end);

    const AuditPosition& at() const { return at_; }  // As far as all is well.
    // What is wrong, in words that name the entry; nullopt: nothing so far.
    const std::optional<std::string>& problem() const { return problem_; }

private:
    void move_to(const AuditPosition& position);

    AuditPosition at_;
    AuditAnchors anchors_;
    std::optional<std::string> problem_;
};

}  // namespace satchel::crypto
