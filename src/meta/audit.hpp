// Tables deletion_audit and audit_chain: who deleted what, as a hash chain whose end is signed.
// Bytes and what they prove: docs/formats/audit.md.
#pragma once

#include "meta/database.hpp"
#include "model/audit.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace satchel::meta {

using satchel::AuditEntry;

// The only way into the audit. remove_attachment() does this for its own entry. The engine signs
// the new end before it commits.
Result<> append_audit(Session& session, const AuditEntry& entry);

// seq > after, oldest first, as they stand: whether they are true is for AuditWalk to say.
// Errc::corrupt if one of them cannot be what append_audit() wrote.
Result<std::vector<AuditLink>> audit_after(Session& session, std::uint64_t after, std::size_t max);

struct AuditChainRow {
    AuditOrigin origin;
    AuditPosition end;
    AuditSignature signature{};
};
// As it stands. Nullopt if there is none: somebody took it away.
Result<std::optional<AuditChainRow>> find_audit_chain(Session& session);

// For the engine, in a transaction.
//
// Where the chain goes on. Begins it over the entries that are there if it never was begun. A
// chain whose end is not what was signed goes on so that the break stays to be seen, and is
// logged: deletions must not stop, and the damage must not be covered up.
Result<AuditPosition> open_audit_chain(Session& session, Time now);
// Signs `end` and stores it.
Result<> store_audit_end(Session& session, const AuditPosition& end);

}  // namespace satchel::meta
