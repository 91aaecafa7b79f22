#include "webhook/outbox.hpp"

#include "base/random.hpp"
#include "meta/attachments.hpp"
#include "meta/webhook_outbox.hpp"
#include "meta/webhook_subscriptions.hpp"
#include "webhook/deleted_attachment.hpp"

#include <vector>

namespace satchel::webhook {
namespace {

// FNV-1a. 0 stands for "no lane"; two chats that share a lane wait for each other, no more.
std::int64_t lane_of(std::string_view key) {
    if (key.empty()) return 0;
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : key) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3;
    }
    return static_cast<std::int64_t>(hash | 1);
}

// `value` is of our own making: it needs no escaping.
void append_member(std::string& json, std::string_view name, std::string_view value) {
    json.append(json.empty() ? "{\"" : ",\"").append(name).append("\":\"");
    json.append(value).append("\"");
}

// Takes those out of `attachments` that are not there any more, and returns them: an event may have
// been put together before its message was at a carrier's, and be enqueued long after.
Result<std::vector<AttachmentId>> take_deleted(meta::Session& session,
                                               std::vector<AttachmentId>& attachments) {
    std::vector<AttachmentId> deleted;
    for (const AttachmentId id : attachments) {
        TRY(const bool is_there, meta::is_attachment_stored(session, id));
        if (!is_there) deleted.push_back(id);
    }
    for (const AttachmentId id : deleted) std::erase(attachments, id);
    return deleted;
}

}  // namespace

std::string render_envelope(const Event& event,
                            EventId id,
                            PayloadVersion version,
                            std::string_view data) {
    std::string json;
    json.reserve(data.size() + 512);
    append_member(json, "api_version", "v3");
    append_member(json, "webhook_version", to_string(version));
    append_member(json, "event_type", event.type);
    append_member(json, "event_id", id.str());
    append_member(json, "created_at", to_rfc3339(event.at));
    append_member(json, "trace_id", event.trace_id);
    append_member(json, "partner_id", event.partner.str());
    return json.append(",\"data\":").append(data).append("}");
}

Result<> enqueue(meta::Session& session, const Event& event) {
    TRY(const auto rows, meta::subscriptions_of(session, event.partner));
    if (rows.empty()) return {};
    Event traced = event;
    if (traced.trace_id.empty()) traced.trace_id = random_trace_id();
    meta::NewDelivery delivery{.event = EventId::random(),
                               .event_type = event.type,
                               .lane = lane_of(event.order_key),
                               .at = event.at,
                               .attachments = event.attachments,
                               .message = event.message,
                               .expires_at = event.expires_at};
    TRY(const auto deleted, take_deleted(session, delivery.attachments));
    for (const meta::SubscriptionRow& row : rows) {
        const WebhookSubscription& subscription = row.subscription;
        if (!subscription.wants(event.type, event.phone_number)) continue;
        const PayloadVersion version =
            payload_version(subscription.target_url, subscription.created_at);
        const std::string& data =
            version == PayloadVersion::v2025_01_01 ? event.data_2025_01_01 : event.data_2026_02_03;
        if (data.empty()) continue;
        delivery.subscription = row.seq;
        delivery.body = render_envelope(traced, delivery.event, version, data);
        for (const AttachmentId id : deleted) delivery.body = body_without(delivery.body, id);
        CHECK(meta::insert_delivery(session, delivery));
    }
    return {};
}

}  // namespace satchel::webhook
