#include "meta/erasure.hpp"

#include "meta/columns.hpp"
#include "meta/gateway_inbox.hpp"
#include "model/webhook_subscription.hpp"

#include <algorithm>

namespace satchel::meta {
namespace {

constexpr std::string_view body_field = "webhook body";

Result<std::size_t> count_changed(StatementPtr statement) {
    std::size_t count = 0;
    for (;;) {
        TRY(const bool found, statement->step());
        if (!found) return count;
        ++count;
    }
}

Result<std::int64_t> read_seq(const Statement& row) {
    return row.integer(0);
}

}  // namespace

Result<ChatPage> chats_to_erase(Session& session,
                                PartnerId partner,
                                std::string_view handle,
                                std::int64_t after,
                                std::size_t max) {
    // By rowid or by handle: neither has the partner in an index, so foreign rows are passed over
    // here, a page at a time.
    TRY(auto statement,
        handle.empty()
            ? session.query("SELECT seq, partner FROM chats WHERE seq > $1 ORDER BY seq LIMIT $2",
                            after, max)
            : session.query("SELECT c.seq, c.partner FROM chat_handles h JOIN chats c ON "
                            "c.seq = h.chat WHERE h.handle = $3 AND h.chat > $1 "
                            "ORDER BY h.chat LIMIT $2",
                            after, max, handle));
    ChatPage page;
    std::size_t seen = 0;
    for (;; ++seen) {
        TRY(const bool found, statement->step());
        if (!found) break;
        page.next = statement->integer(0);
        TRY(const auto owner, id_at<PartnerId>(*statement, 1));
        if (owner == partner) page.chats.push_back(*page.next);
    }
    if (seen < max) page.next.reset();
    return page;
}

Result<AttachmentPage> attachments_to_erase(
    Session& session, PartnerId partner, Time before, std::int64_t after, std::size_t max) {
    TRY(auto statement, session.query("SELECT seq, id, partner, created_at FROM attachments "
                                      "WHERE seq > $1 ORDER BY seq LIMIT $2",
                                      after, max));
    AttachmentPage page;
    std::size_t seen = 0;
    for (;; ++seen) {
        TRY(const bool found, statement->step());
        if (!found) break;
        page.next = statement->integer(0);
        TRY(const auto id, id_at<AttachmentId>(*statement, 1));
        TRY(const auto owner, id_at<PartnerId>(*statement, 2));
        if (owner == partner && time_at(*statement, 3) < before) page.attachments.push_back(id);
    }
    if (seen < max) page.next.reset();
    return page;
}

Result<std::size_t> remove_reactions_by(Session& session,
                                        const std::vector<std::int64_t>& messages,
                                        int sender) {
    std::size_t removed = 0;
    for (const std::int64_t message : messages) {
        TRY(auto statement,
            session.query("DELETE FROM reactions WHERE message = $1 AND sender = $2 RETURNING 1",
                          message, sender));
        TRY(const std::size_t count, count_changed(std::move(statement)));
        removed += count;
    }
    return removed;
}

Result<> remove_chat(Session& session, std::int64_t chat) {
    CHECK(session.run("DELETE FROM chat_handles WHERE chat = $1", chat));
    return session.run("DELETE FROM chats WHERE seq = $1", chat);
}

Result<> rename_participant(
    Session& session, const ChatRow& chat, std::size_t position, std::string_view name, Time at) {
    ChatRow changed = chat;
    ChatHandle& handle = changed.chat.handles[position];
    CHECK(session.run("UPDATE chat_handles SET handle = $3 WHERE chat = $1 AND position = $2",
                      chat.seq, position, name));
    handle.handle = name;
    handle.status = HandleStatus::removed;
    if (!handle.left_at) handle.left_at = at;
    return store_participant(session, changed, position, at);
}

Result<EventPage> events_to_erase(Session& session,
                                  PartnerId partner,
                                  std::string_view handle,
                                  Time before,
                                  std::int64_t after,
                                  std::size_t max) {
    TRY(auto statement,
        session.query("SELECT o.seq, o.event, o.sealed_body, o.created_at, s.partner "
                      "FROM webhook_outbox o LEFT JOIN webhook_subscriptions s "
                      "ON s.seq = o.subscription WHERE o.seq > $1 ORDER BY o.seq LIMIT $2",
                      after, max));
    EventPage page;
    std::size_t seen = 0;
    for (;; ++seen) {
        TRY(const bool found, statement->step());
        if (!found) break;
        page.next = statement->integer(0);
        if (statement->is_null(4) || time_at(*statement, 3) >= before) continue;
        TRY(const auto owner, id_at<PartnerId>(*statement, 4));
        if (owner != partner) continue;
        if (!handle.empty()) {
            TRY(const auto event, id_at<EventId>(*statement, 1));
            TRY(const std::string body,
                sealed_text_at(*statement, 2, session, body_field, event.bytes()));
            if (body.find(handle) == std::string::npos) continue;
        }
        page.events.push_back(*page.next);
    }
    if (seen < max) page.next.reset();
    return page;
}

Result<> remove_events(Session& session, const std::vector<std::int64_t>& events) {
    for (const std::int64_t event : events) {
        CHECK(session.run("DELETE FROM webhook_outbox WHERE seq = $1", event));
    }
    return {};
}

Result<std::size_t> remove_contact_cards(Session& session,
                                         PartnerId partner,
                                         Time before,
                                         std::size_t max) {
    TRY(auto statement,
        session.query("DELETE FROM contact_cards WHERE partner = $1 AND line IN (SELECT line FROM "
                      "contact_cards WHERE partner = $1 AND created_at < $2 LIMIT $3) RETURNING 1",
                      partner, before, max));
    return count_changed(std::move(statement));
}

Result<std::size_t> remove_blocked_handles(
    Session& session, PartnerId partner, std::string_view handle, Time before, std::size_t max) {
    TRY(auto statement,
        session.query(
            "DELETE FROM blocked_handles WHERE partner = $1 AND handle IN (SELECT handle FROM "
            "blocked_handles WHERE partner = $1 AND ($2 = '' OR handle = $2) AND blocked_at < $3 "
            "LIMIT $4) RETURNING 1",
            partner, handle, before, max));
    return count_changed(std::move(statement));
}

Result<std::size_t> remove_idempotency_keys(Session& session, PartnerId partner, std::size_t max) {
    TRY(auto statement,
        session.query("DELETE FROM idempotency_keys WHERE partner = $1 AND key IN (SELECT k.key "
                      "FROM idempotency_keys k WHERE k.partner = $1 AND NOT EXISTS (SELECT 1 FROM "
                      "messages m WHERE m.id = k.message) LIMIT $2) RETURNING 1",
                      partner, max));
    return count_changed(std::move(statement));
}

Result<std::size_t> drop_waiting_inbox(
    Session& session, PartnerId partner, std::string_view handle, Time before, std::size_t max) {
    std::vector<std::int64_t> waiting;
    {
        TRY(auto statement,
            session.query("SELECT seq FROM gateway_inbox WHERE sealed_message IS NOT NULL AND "
                          "partner = $1 AND received_at < $2",
                          partner, before));
        TRY(waiting, all_rows(*statement, read_seq));
    }
    std::size_t dropped = 0;
    for (const std::int64_t seq : waiting) {
        if (dropped == max) break;
        TRY(const auto row, find_inbox(session, seq));
        if (!row || !row->content) continue;
        const auto& others = row->content->others;
        const bool is_meant = handle.empty() || row->content->from == handle ||
                              std::ranges::find(others, handle) != others.end();
        if (!is_meant) continue;
        TRY([[maybe_unused]] const bool was_waiting, finish_inbox(session, seq));
        ++dropped;
    }
    return dropped;
}

}  // namespace satchel::meta
