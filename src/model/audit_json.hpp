// The audit as JSON: lines of an export, receipts, answers of the admin API. Frozen:
// docs/formats/audit.md.
//
// What reads is strict where a value counts: what is not exactly what was written is nullopt.
// Members that it does not know are ignored.
#pragma once

#include "model/audit.hpp"

#include <boost/json/object.hpp>

#include <optional>

namespace satchel {

// The first line of an export: what its entries follow.
struct AuditStart {
    AuditPosition position;
    AuditKey key{};
    std::optional<AuditOrigin> origin;  // Present exactly when position.seq is 0.
};

boost::json::object to_json(const AuditStart& start);
boost::json::object to_json(const AuditLink& link);
boost::json::object to_json(const AuditHead& head);
boost::json::object to_json(const AuditReceipt& receipt);

std::optional<AuditStart> audit_start_from(const boost::json::object& json);
std::optional<AuditLink> audit_link_from(const boost::json::object& json);
std::optional<AuditHead> audit_head_from(const boost::json::object& json);
std::optional<AuditReceipt> audit_receipt_from(const boost::json::object& json);

}  // namespace satchel
