// Table audit_cut: how far the beginning of the deletion audit was removed, signed, so that what
// is left can still be proved whole. Bytes and what they prove: docs/formats/audit.md.
#pragma once

#include "meta/database.hpp"
#include "model/audit.hpp"

#include <optional>

namespace satchel::meta {

struct AuditCut {
    AuditPosition position;  // Of the last entry that is gone.
    Time cut_at{};
    AuditSignature signature{};
};
// As it stands. Errc::corrupt if it cannot be what cut_audit() wrote.
Result<std::optional<AuditCut>> find_audit_cut(Session& session);

// Inside a write of a database that was opened with keys: signs the cut and removes the entries
// up to `position`, which stands in the chain.
Result<> cut_audit(Session& session, const AuditPosition& position, Time now);

// When the oldest entry was made; nullopt: there is none.
Result<std::optional<Time>> oldest_audit_entry(Session& session);

}  // namespace satchel::meta
