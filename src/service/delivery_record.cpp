#include "service/delivery_record.hpp"

#include "webhook/message_events.hpp"

#include <algorithm>

namespace satchel {
namespace {

// One step of a message's way: the row first, then the event that tells of it.
class Progress {
public:
    Progress(meta::Session& session, meta::MessageRow& row, MessageEvent event)
        : session_(session), row_(row), event_(std::move(event)) {}

    // False: the message was deleted, and nobody is told of it any more.
    Result<bool> store() { return meta::update_delivery(session_, row_); }

    Result<> tell(MessageEventKind kind, Time at) {
        event_.kind = kind;
        event_.at = at;
        event_.message.status = row_.status;
        event_.message.updated_at = row_.updated_at;
        // An event knows what was known when it happened.
        const bool is_delivered =
            kind == MessageEventKind::delivered || kind == MessageEventKind::read;
        event_.message.sent_at = row_.sent_at;
        event_.message.delivered_at = is_delivered ? row_.delivered_at : std::nullopt;
        event_.message.read_at = kind == MessageEventKind::read ? row_.read_at : std::nullopt;
        return webhook::enqueue(session_, webhook::message_event(event_, {}));
    }

private:
    meta::Session& session_;
    meta::MessageRow& row_;
    MessageEvent event_;
};

// Whether the step is a new one. Not before `earliest`: clocks differ.
bool take_step(std::optional<Time>& known, const std::optional<Time>& at, Time earliest) {
    if (known || !at) return false;
    known = std::max(*at, earliest);
    return true;
}

DeliveryStatus status_of(const meta::MessageRow& row) {
    if (row.read_at) return DeliveryStatus::read;
    if (row.delivered_at) return DeliveryStatus::delivered;
    return row.sent_at ? DeliveryStatus::sent : row.status;
}

}  // namespace

bool is_on_its_way(DeliveryStatus status) {
    return status == DeliveryStatus::pending || status == DeliveryStatus::queued;
}

Result<> record_outcome(meta::Session& session,
                        meta::MessageRow& row,
                        MessageEvent event,
                        const gateway::Outcome& outcome,
                        Time now) {
    if (row.status == DeliveryStatus::failed) return {};
    const auto delivered_at = outcome.delivered_at ? outcome.delivered_at : outcome.read_at;
    const auto sent_at = outcome.sent_at ? outcome.sent_at : delivered_at;
    const bool is_sent = take_step(row.sent_at, sent_at, row.created_at);
    const bool is_delivered =
        take_step(row.delivered_at, delivered_at, row.sent_at.value_or(row.created_at));
    const bool is_read =
        take_step(row.read_at, outcome.read_at, row.delivered_at.value_or(row.created_at));
    const bool has_failed = outcome.has_failed() && !row.delivered_at;
    if (!is_sent && !is_delivered && !is_read && !has_failed) return {};
    row.status = has_failed ? DeliveryStatus::failed : status_of(row);
    row.updated_at = now;
    event.failure_code = outcome.failure_code;
    event.failure_reason = outcome.failure_reason;
    Progress progress(session, row, std::move(event));
    TRY(const bool is_there, progress.store());
    if (!is_there) return {};
    if (is_sent) CHECK(progress.tell(MessageEventKind::sent, *row.sent_at));
    if (is_delivered) CHECK(progress.tell(MessageEventKind::delivered, *row.delivered_at));
    if (is_read) CHECK(progress.tell(MessageEventKind::read, *row.read_at));
    if (has_failed) CHECK(progress.tell(MessageEventKind::failed, now));
    return {};
}

}  // namespace satchel
