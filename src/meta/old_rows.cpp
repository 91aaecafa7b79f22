#include "meta/old_rows.hpp"

#include "meta/columns.hpp"
#include "meta/edge_purges.hpp"

#include <algorithm>

namespace satchel::meta {
namespace {

// Less than every id that was made at `time` or later.
MessageId first_id_at(Time time) {
    MessageId id;
    const auto since =
        std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
    // Before 1970 nothing was made.
    const auto milliseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(since, 0));
    for (int i = 0; i < 6; ++i) {
        id.value.bytes[static_cast<std::size_t>(i)] =
            static_cast<std::byte>(milliseconds >> (8 * (5 - i)));
    }
    return id;
}

Result<std::size_t> count_changed(StatementPtr statement) {
    std::size_t count = 0;
    for (;;) {
        TRY(const bool found, statement->step());
        if (!found) return count;
        ++count;
    }
}

Result<std::optional<Time>> first_time(StatementPtr statement) {
    TRY(const auto row, first_row(*statement, [](const Statement& each) {
            return Result<std::optional<Time>>(optional_time_at(each, 0));
        }));
    return row.value_or(std::nullopt);
}

}  // namespace

Result<std::vector<std::int64_t>> messages_before(Session& session, Time before, std::size_t max) {
    TRY(auto statement, session.query("SELECT seq FROM messages WHERE id < $1 ORDER BY id LIMIT $2",
                                      first_id_at(before), max));
    return all_rows(*statement,
                    [](const Statement& row) { return Result<std::int64_t>(row.integer(0)); });
}

Result<std::optional<Time>> oldest_message(Session& session) {
    TRY(auto statement, session.query("SELECT created_at FROM messages ORDER BY id LIMIT 1"));
    return first_time(std::move(statement));
}

Result<std::vector<IdempotencyKeyRow>> idempotency_keys_after(Session& session,
                                                              MessageId after,
                                                              Time before,
                                                              std::size_t max) {
    TRY(auto statement,
        session.query("SELECT k.partner, k.key, k.message, NOT EXISTS "
                      "(SELECT 1 FROM messages m WHERE m.id = k.message) "
                      "FROM idempotency_keys k WHERE k.message > $1 AND k.message < $2 "
                      "ORDER BY k.message LIMIT $3",
                      after, first_id_at(before), max));
    return all_rows(*statement, [](const Statement& row) -> Result<IdempotencyKeyRow> {
        IdempotencyKeyRow out;
        TRY(out.partner, id_at<PartnerId>(row, 0));
        out.key = row.text(1);
        TRY(out.message, id_at<MessageId>(row, 2));
        out.message_is_gone = row.integer(3) != 0;
        return out;
    });
}

Result<> remove_idempotency_key(Session& session, const IdempotencyKeyRow& row) {
    return session.run("DELETE FROM idempotency_keys WHERE partner = $1 AND key = $2", row.partner,
                       row.key);
}

Result<std::size_t> drop_overrides_before(Session& session, Time before, std::size_t max) {
    TRY(auto statement,
        session.query("DELETE FROM opt_out_overrides WHERE seq IN (SELECT seq FROM "
                      "(SELECT seq, at FROM opt_out_overrides ORDER BY seq LIMIT $2) "
                      "WHERE at < $1) RETURNING 1",
                      before, max));
    return count_changed(std::move(statement));
}

Result<std::size_t> drop_inbox_before(Session& session, Time before, std::size_t max) {
    TRY(auto statement,
        session.query("DELETE FROM gateway_inbox WHERE seq IN (SELECT seq FROM gateway_inbox WHERE "
                      "sealed_message IS NULL AND received_at < $1 ORDER BY received_at LIMIT $2) "
                      "RETURNING 1",
                      before, max));
    return count_changed(std::move(statement));
}

Result<std::size_t> drop_edge_purges(Session& session, std::size_t max) {
    CHECK(
        session.run("DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs WHERE kind = $1 "
                    "ORDER BY due_at LIMIT $2)",
                    purge_job_kind, max));
    TRY(auto statement,
        session.query("DELETE FROM edge_purges WHERE seq IN (SELECT seq FROM edge_purges "
                      "ORDER BY seq LIMIT $1) RETURNING 1",
                      max));
    return count_changed(std::move(statement));
}

Result<std::optional<Time>> oldest_override(Session& session) {
    TRY(auto statement, session.query("SELECT at FROM opt_out_overrides ORDER BY seq LIMIT 1"));
    return first_time(std::move(statement));
}

Result<std::optional<Time>> oldest_inbox(Session& session) {
    TRY(auto statement, session.query("SELECT min(received_at) FROM gateway_inbox "
                                      "WHERE sealed_message IS NULL"));
    return first_time(std::move(statement));
}

Result<bool> has_edge_purges(Session& session) {
    TRY(auto statement, session.query("SELECT 1 FROM edge_purges LIMIT 1"));
    return statement->step();
}

Result<std::optional<Time>> oldest_due_attachment(Session& session) {
    TRY(auto statement,
        session.query("SELECT min(sweep_at) FROM attachments WHERE sweep_at IS NOT NULL"));
    return first_time(std::move(statement));
}

}  // namespace satchel::meta
