// Events for webhook subscribers: written in the transaction of the change they report,
// delivered later, at least once, with the same id and body at every attempt.
#pragma once

#include "base/async.hpp"
#include "meta/database.hpp"
#include "model/ids.hpp"
#include "model/webhook_subscription.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::webhook {

// One thing that happened. `data` holds the event's "data" member, rendered as JSON for each
// payload version (contract sections 5.5 and 5.6). Left empty, subscribers of that version do
// not hear of it.
struct Event {
    std::string type;  // "message.sent"
    PartnerId partner;
    std::string phone_number;  // The line it is about: for the subscriptions' filter.
    Time at{};
    std::string trace_id;  // Empty: a new one.
    std::string data_2025_01_01;
    std::string data_2026_02_03;
    // The chat it is about: a subscriber hears of one chat's events in order, unless an attempt
    // fails.
    std::string order_key;
    // Those that `data` shows: it shows them no more once they are deleted, be that before the
    // event is enqueued or after.
    std::vector<AttachmentId> attachments;
    // The message it is about, if it is about one: it goes with it (meta/message_removal.hpp).
    std::optional<MessageId> message;
    std::optional<Time> expires_at;  // Of what it describes: nobody hears of it from then on.
};

// Inside a Database::write: one outbox row for each subscription that wants the event.
Result<> enqueue(meta::Session& session, const Event& event);

// The request's body: the envelope of contract section 5.4 around `data`.
std::string render_envelope(const Event& event,
                            EventId id,
                            PayloadVersion version,
                            std::string_view data);

}  // namespace satchel::webhook
