// What can be asked of the deletion audit. Nothing here writes; a running server is no hindrance,
// and is not hindered: rows are read in short pages.
//
// Errc::corrupt with a line for the operator in `message`, where nothing can be said because the
// chain is broken or the database's key is gone.
#pragma once

#include "base/async.hpp"
#include "meta/database.hpp"
#include "model/audit.hpp"
#include "model/audit_json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace satchel {

struct AuditVerdict {
    AuditPosition start;  // What the first entry follows. seq 0: the origin; else a signed cut.
    AuditPosition end;    // As far as all is well.
    AuditOrigin origin;
    AuditKey key{};
    std::optional<std::string> problem;  // The first thing that is wrong, in words; none: intact.
};

// Walks the whole chain and compares its end with the signed one, and what `anchors` hold with
// what stands there. Entries that a running server adds meanwhile are walked, too.
Async<AuditVerdict> verify_audit(meta::Database& database, AuditAnchors anchors);

// What the first entry follows.
Async<AuditStart> audit_start(meta::Database& database);
// The signed end, for somebody else to keep. Says nothing about the entries before it.
Async<AuditHead> sign_audit_head(meta::Database& database, Time now);
// The next limits::audit_page_max entries after `after`, as they stand. Empty: there are none.
Async<std::vector<AuditLink>> audit_page(meta::Database& database, std::uint64_t after);

// Walks the whole chain first. The last entry about that attachment; Errc::not_found: none.
Async<AuditReceipt> sign_audit_receipt(meta::Database& database, AttachmentId attachment, Time now);

}  // namespace satchel
