// Where the audit commands read from.
#pragma once

#include "app/admin_client.hpp"
#include "base/result.hpp"
#include "model/audit_json.hpp"
#include "service/audit.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace satchel::app {

class AuditSource {
public:
    virtual ~AuditSource() = default;

    virtual Result<AuditStart> start() = 0;
    virtual Result<AuditHead> head() = 0;
    // The next entries after `after`, as they stand; empty: there are none.
    virtual Result<std::vector<AuditLink>> page(std::uint64_t after) = 0;
    virtual Result<AuditReceipt> receipt(AttachmentId attachment) = 0;
    virtual Result<AuditVerdict> verify(const AuditAnchors& anchors) = 0;
};

// The files of a store, with or without a server on them; if `choice` names none and
// SATCHEL_ADMIN_URL is set, the server there.
Result<std::unique_ptr<AuditSource>> open_audit_source(const ServerChoice& choice);

}  // namespace satchel::app
