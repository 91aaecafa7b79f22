// Table webhook_outbox: events that wait for a subscription, and those given up.
//
// Functions run inside a Database::read or ::write. `subscription` is SubscriptionRow::seq.
#pragma once

#include "base/bytes.hpp"
#include "meta/database.hpp"
#include "model/webhook_subscription.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace satchel::meta {

struct NewDelivery {
    std::int64_t subscription = 0;
    EventId event;
    std::string event_type;
    std::int64_t lane = 0;  // First attempts of one lane go one after the other; 0: no lane.
    std::string body;       // The same at every attempt.
    Time at{};              // Also when it is due.
    std::vector<AttachmentId> attachments = {};  // That the body shows (bodies_showing).
    std::optional<MessageId> message;            // The row goes with it (meta/message_removal.hpp).
    std::optional<Time> expires_at;              // Of what it describes: then it goes unsent.
};
Result<> insert_delivery(Session& session, const NewDelivery& delivery);

enum class TargetState : std::uint8_t { active, inactive, removed };

// A subscription for which something waits.
struct WaitingTarget {
    std::int64_t subscription = 0;
    TargetState state = TargetState::active;
    bool has_due = false;
    std::optional<Time> next_due_at;  // Of what is not due yet.
};
// Costs a few look-ups for each such subscription, however much waits for it.
Result<std::vector<WaitingTarget>> waiting_targets(Session& session, Time now);

struct DueDelivery {
    std::int64_t seq = 0;
    std::int64_t lane = 0;
    std::uint32_t attempts = 0;
};
// In the order in which they became due.
Result<std::vector<DueDelivery>> due_deliveries(Session& session,
                                                std::int64_t subscription,
                                                Time now,
                                                std::size_t max);

// What one attempt needs.
struct Delivery {
    std::int64_t seq = 0;
    EventId event;
    std::string event_type;
    std::string body;
    std::uint32_t attempts = 0;
    SubscriptionId subscription;
    PartnerId partner;
    std::string target_url;
    Bytes sealed_secret;
};
// Nullopt if it waits no more, what it describes has expired, or its subscription is gone or
// inactive.
Result<std::optional<Delivery>> find_delivery(Session& session, std::int64_t seq, Time now);

// Bodies that show an attachment, of rows that wait or were given up; and one of them, changed.
struct ShowingBody {
    std::int64_t seq = 0;
    EventId event;
    std::string body;
};
Result<std::vector<ShowingBody>> bodies_showing(Session& session, AttachmentId attachment);
Result<> replace_body(Session& session, const ShowingBody& row);

// An attempt was answered with success: the row goes.
Result<> remove_delivery(Session& session, std::int64_t seq);

struct FailedAttempt {
    std::int64_t seq = 0;
    int status = 0;  // 0: there was no answer.
    std::string error;
    std::optional<Time> retry_at;  // Absent: given up, at `at`.
    Time at{};
};
// Counts the attempt.
Result<> record_failed_attempt(Session& session, const FailedAttempt& attempt);

// Drops up to `max` waiting rows, of a subscription that is gone. Returns how many.
Result<std::size_t> drop_deliveries(Session& session, std::int64_t subscription, std::size_t max);
// Gives up to `max` waiting rows up without an attempt.
Result<std::size_t> give_up_deliveries(
    Session& session, std::int64_t subscription, std::string_view why, Time at, std::size_t max);

struct FailedDelivery {
    std::int64_t seq = 0;
    EventId event;
    std::string event_type;
    SubscriptionId subscription;
    PartnerId partner;
    std::string target_url;
    std::uint32_t attempts = 0;
    int last_status = 0;
    std::string last_error;
    Time created_at{};
    Time failed_at{};
};
// The given up, of subscriptions that still exist, newest first.
Result<std::vector<FailedDelivery>> failed_deliveries(Session& session, std::size_t max);
// Makes the given up wait again, with no attempts counted. Returns how many rows that were.
Result<std::size_t> replay_event(Session& session, EventId event, Time now);
Result<std::size_t> replay_all(Session& session, Time now, std::size_t max);
// Forgets up to `max` that were given up before `before`.
Result<std::size_t> drop_failed_before(Session& session, Time before, std::size_t max);

Result<bool> has_expired_deliveries(Session& session, Time now);
// Forgets up to `max` whose time is over. Returns how many.
Result<std::size_t> drop_expired_deliveries(Session& session, Time now, std::size_t max);

struct OutboxCounts {
    std::size_t waiting = 0;
    std::size_t failed = 0;
};
// Each counted up to `max`.
Result<OutboxCounts> count_outbox(Session& session, std::size_t max);

}  // namespace satchel::meta
