// The signed cut of the deletion audit: says that its beginning, up to a position, was removed by
// whoever has the database's key. Bytes: docs/formats/audit.md.
#pragma once

#include "crypto/audit_chain.hpp"

namespace satchel::crypto {

AuditSignature sign_cut(const AuditSigner& signer, const AuditPosition& cut, Time cut_at);
bool is_signed_cut(const AuditKey& key,
                   const AuditPosition& cut,
                   Time cut_at,
                   const AuditSignature& signature);

}  // namespace satchel::crypto
