#include "meta/webhook_outbox.hpp"

#include "meta/columns.hpp"

namespace satchel::meta {
namespace {

constexpr std::string_view body_field = "webhook body";

Result<std::size_t> count_rows(StatementPtr statement) {
    std::size_t count = 0;
    for (;;) {
        TRY(const bool found, statement->step());
        if (!found) return count;
        ++count;
    }
}

Result<WaitingTarget> read_target(const Statement& row) {
    WaitingTarget out;
    out.subscription = row.integer(0);
    out.state = row.is_null(1)        ? TargetState::removed
                : row.integer(1) != 0 ? TargetState::active
                                      : TargetState::inactive;
    out.has_due = row.integer(2) != 0;
    out.next_due_at = optional_time_at(row, 3);
    return out;
}

Result<Delivery> read_delivery(const Session& session, const Statement& row) {
    Delivery out;
    out.seq = row.integer(0);
    TRY(out.event, id_at<EventId>(row, 1));
    out.event_type = row.text(2);
    TRY(out.body, sealed_text_at(row, 3, session, body_field, out.event.bytes()));
    out.attempts = static_cast<std::uint32_t>(row.integer(4));
    TRY(out.subscription, id_at<SubscriptionId>(row, 5));
    TRY(out.partner, id_at<PartnerId>(row, 6));
    out.target_url = row.text(7);
    out.sealed_secret = bytes_at(row, 8);
    return out;
}

Result<FailedDelivery> read_failed(const Statement& row) {
    FailedDelivery out;
    out.seq = row.integer(0);
    TRY(out.event, id_at<EventId>(row, 1));
    out.event_type = row.text(2);
    TRY(out.subscription, id_at<SubscriptionId>(row, 3));
    TRY(out.partner, id_at<PartnerId>(row, 4));
    out.target_url = row.text(5);
    out.attempts = static_cast<std::uint32_t>(row.integer(6));
    out.last_status = static_cast<int>(row.integer(7));
    out.last_error = row.text(8);
    out.created_at = time_at(row, 9);
    out.failed_at = time_at(row, 10);
    return out;
}

}  // namespace

Result<> insert_delivery(Session& session, const NewDelivery& delivery) {
    std::int64_t seq = 0;
    {
        TRY(auto added,
            session.query(
                "INSERT INTO webhook_outbox (subscription, event, event_type, lane, sealed_body, "
                "created_at, attempts, due_at, last_status, last_error, message, expires_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, 0, $6, 0, '', $7, $8) RETURNING seq",
                delivery.subscription, delivery.event, delivery.event_type, delivery.lane,
                session.texts().seal(body_field, delivery.event.bytes(), delivery.body),
                delivery.at, delivery.message, delivery.expires_at));
        TRY([[maybe_unused]] const bool found, added->step());
        seq = added->integer(0);
    }
    for (const AttachmentId attachment : delivery.attachments) {
        CHECK(
            session.run("INSERT INTO webhook_mentions (attachment, delivery) VALUES ($1, $2) "
                        "ON CONFLICT DO NOTHING",
                        attachment, seq));
    }
    return {};
}

Result<std::vector<ShowingBody>> bodies_showing(Session& session, AttachmentId attachment) {
    TRY(auto statement,
        session.query("SELECT o.seq, o.event, o.sealed_body FROM webhook_mentions m "
                      "JOIN webhook_outbox o ON o.seq = m.delivery WHERE m.attachment = $1",
                      attachment));
    return all_rows(*statement, [&session](const Statement& row) -> Result<ShowingBody> {
        ShowingBody out;
        out.seq = row.integer(0);
        TRY(out.event, id_at<EventId>(row, 1));
        TRY(out.body, sealed_text_at(row, 2, session, body_field, out.event.bytes()));
        return out;
    });
}

Result<> replace_body(Session& session, const ShowingBody& row) {
    return session.run("UPDATE webhook_outbox SET sealed_body = $2 WHERE seq = $1", row.seq,
                       session.texts().seal(body_field, row.event.bytes(), row.body));
}

Result<std::vector<WaitingTarget>> waiting_targets(Session& session, Time now) {
    // Each step of the recursion is one look-up of the next subscription in the index.
    TRY(auto statement,
        session.query(
            "WITH RECURSIVE target (subscription) AS ("
            "SELECT min(subscription) FROM webhook_outbox WHERE due_at IS NOT NULL "
            "UNION ALL "
            "SELECT (SELECT min(o.subscription) FROM webhook_outbox o "
            "WHERE o.due_at IS NOT NULL AND o.subscription > target.subscription) "
            "FROM target WHERE target.subscription IS NOT NULL) "
            "SELECT t.subscription, "
            "(SELECT s.is_active FROM webhook_subscriptions s WHERE s.seq = t.subscription), "
            "EXISTS (SELECT 1 FROM webhook_outbox o WHERE o.subscription = t.subscription "
            "AND o.due_at <= $1 AND (o.expires_at IS NULL OR o.expires_at > $1)), "
            "(SELECT min(o.due_at) FROM webhook_outbox o WHERE o.subscription = t.subscription "
            "AND o.due_at > $1) "
            "FROM target t WHERE t.subscription IS NOT NULL",
            now));
    return all_rows(*statement, read_target);
}

Result<std::vector<DueDelivery>> due_deliveries(Session& session,
                                                std::int64_t subscription,
                                                Time now,
                                                std::size_t max) {
    TRY(auto statement,
        session.query("SELECT seq, lane, attempts FROM webhook_outbox "
                      "WHERE subscription = $1 AND due_at <= $2 AND "
                      "(expires_at IS NULL OR expires_at > $2) ORDER BY due_at, seq LIMIT $3",
                      subscription, now, max));
    return all_rows(*statement, [](const Statement& row) -> Result<DueDelivery> {
        return DueDelivery{.seq = row.integer(0),
                           .lane = row.integer(1),
                           .attempts = static_cast<std::uint32_t>(row.integer(2))};
    });
}

Result<std::optional<Delivery>> find_delivery(Session& session, std::int64_t seq, Time now) {
    TRY(auto statement,
        session.query(
            "SELECT o.seq, o.event, o.event_type, o.sealed_body, o.attempts, s.id, s.partner, "
            "s.target_url, s.sealed_secret FROM webhook_outbox o "
            "JOIN webhook_subscriptions s ON s.seq = o.subscription "
            "WHERE o.seq = $1 AND o.due_at IS NOT NULL AND s.is_active = 1 "
            "AND (o.expires_at IS NULL OR o.expires_at > $2)",
            seq, now));
    return first_row(*statement,
                     [&session](const Statement& row) { return read_delivery(session, row); });
}

Result<> remove_delivery(Session& session, std::int64_t seq) {
    return session.run("DELETE FROM webhook_outbox WHERE seq = $1", seq);
}

Result<> record_failed_attempt(Session& session, const FailedAttempt& attempt) {
    std::optional<Time> failed_at;
    if (!attempt.retry_at) failed_at = attempt.at;
    return session.run(
        "UPDATE webhook_outbox SET attempts = attempts + 1, due_at = $2, failed_at = $3, "
        "last_status = $4, last_error = $5 WHERE seq = $1",
        attempt.seq, attempt.retry_at, failed_at, attempt.status, attempt.error);
}

Result<std::size_t> drop_deliveries(Session& session, std::int64_t subscription, std::size_t max) {
    TRY(auto statement,
        session.query("DELETE FROM webhook_outbox WHERE seq IN (SELECT seq FROM webhook_outbox "
                      "WHERE subscription = $1 AND due_at IS NOT NULL LIMIT $2) RETURNING 1",
                      subscription, max));
    return count_rows(std::move(statement));
}

Result<std::size_t> give_up_deliveries(
    Session& session, std::int64_t subscription, std::string_view why, Time at, std::size_t max) {
    TRY(auto statement,
        session.query("UPDATE webhook_outbox SET due_at = NULL, failed_at = $3, last_error = $2 "
                      "WHERE seq IN (SELECT seq FROM webhook_outbox WHERE subscription = $1 "
                      "AND due_at IS NOT NULL LIMIT $4) RETURNING 1",
                      subscription, why, at, max));
    return count_rows(std::move(statement));
}

Result<std::vector<FailedDelivery>> failed_deliveries(Session& session, std::size_t max) {
    TRY(auto statement,
        session.query("SELECT o.seq, o.event, o.event_type, s.id, s.partner, s.target_url, "
                      "o.attempts, o.last_status, o.last_error, o.created_at, o.failed_at "
                      "FROM webhook_outbox o JOIN webhook_subscriptions s "
                      "ON s.seq = o.subscription WHERE o.failed_at IS NOT NULL "
                      "ORDER BY o.failed_at DESC LIMIT $1",
                      max));
    return all_rows(*statement, read_failed);
}

Result<std::size_t> replay_event(Session& session, EventId event, Time now) {
    TRY(auto statement,
        session.query("UPDATE webhook_outbox SET attempts = 0, due_at = $2, failed_at = NULL "
                      "WHERE event = $1 AND failed_at IS NOT NULL RETURNING 1",
                      event, now));
    return count_rows(std::move(statement));
}

Result<std::size_t> replay_all(Session& session, Time now, std::size_t max) {
    TRY(auto statement,
        session.query("UPDATE webhook_outbox SET attempts = 0, due_at = $1, failed_at = NULL "
                      "WHERE seq IN (SELECT seq FROM webhook_outbox WHERE failed_at <= $1 "
                      "ORDER BY failed_at LIMIT $2) RETURNING 1",
                      now, max));
    return count_rows(std::move(statement));
}

Result<std::size_t> drop_failed_before(Session& session, Time before, std::size_t max) {
    TRY(auto statement,
        session.query("DELETE FROM webhook_outbox WHERE seq IN (SELECT seq FROM webhook_outbox "
                      "WHERE failed_at < $1 ORDER BY failed_at LIMIT $2) RETURNING 1",
                      before, max));
    return count_rows(std::move(statement));
}

Result<bool> has_expired_deliveries(Session& session, Time now) {
    TRY(auto statement,
        session.query("SELECT 1 FROM webhook_outbox WHERE expires_at <= $1 LIMIT 1", now));
    return statement->step();
}

Result<std::size_t> drop_expired_deliveries(Session& session, Time now, std::size_t max) {
    TRY(auto statement,
        session.query("DELETE FROM webhook_outbox WHERE seq IN (SELECT seq FROM webhook_outbox "
                      "WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING 1",
                      now, max));
    return count_rows(std::move(statement));
}

Result<OutboxCounts> count_outbox(Session& session, std::size_t max) {
    TRY(auto statement, session.query("SELECT (SELECT count(*) FROM (SELECT 1 FROM webhook_outbox "
                                      "WHERE due_at IS NOT NULL LIMIT $1)), "
                                      "(SELECT count(*) FROM (SELECT 1 FROM webhook_outbox "
                                      "WHERE failed_at IS NOT NULL LIMIT $1))",
                                      max));
    TRY([[maybe_unused]] const bool found, statement->step());
    return OutboxCounts{.waiting = static_cast<std::size_t>(statement->integer(0)),
                        .failed = static_cast<std::size_t>(statement->integer(1))};
}

}  // namespace satchel::meta
