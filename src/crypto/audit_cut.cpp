#include "crypto/audit_cut.hpp"

#include "base/bytes.hpp"
#include "crypto/digest.hpp"

namespace satchel::crypto {
namespace {

// A position that no chain can reach: its hash is made over another label than an entry's. So a
// cut is no end, and an end no cut.
AuditPosition cut_position(const AuditPosition& cut, Time cut_at) {
    std::string text("satchel audit cut v1");
    text += '\0';
    append_u64(text, cut.seq);
    text += as_text(cut.hash);
    append_u64(text, static_cast<std::uint64_t>(to_micros(cut_at)));
    return {cut.seq, sha256(as_bytes(text))};
}

}  // namespace

AuditSignature sign_cut(const AuditSigner& signer, const AuditPosition& cut, Time cut_at) {
    return signer.sign_end(cut_position(cut, cut_at));
}

bool is_signed_cut(const AuditKey& key,
                   const AuditPosition& cut,
                   Time cut_at,
                   const AuditSignature& signature) {
    return is_signed_end(key, cut_position(cut, cut_at), signature);
}

}  // namespace satchel::crypto
