#include "meta/chats.hpp"

#include "meta/columns.hpp"

#include <algorithm>

namespace satchel::meta {
namespace {

#define SATCHEL_CHAT_COLUMNS                                                              \
    "seq, id, partner, line, is_reusable, is_group, sealed_name, icon, service, health, " \
    "health_updated_at, left_at, created_at, updated_at"

constexpr std::string_view name_field = "chat name";
constexpr std::string_view reason_field = "block reason";

Result<Service> service_from(std::string_view text) {
    if (const auto service = parse_service(text)) return *service;
    return fail(Errc::corrupt, "a row has an unknown service");
}

Result<ChatHealth> health_from(std::string_view text) {
    using enum ChatHealth;
    for (const auto health : {healthy, at_risk, critical, opted_out}) {
        if (text == to_string(health)) return health;
    }
    return fail(Errc::corrupt, "a chat has an unknown health");
}

Result<HandleStatus> status_from(std::string_view text) {
    using enum HandleStatus;
    for (const auto status : {active, left, removed}) {
        if (text == to_string(status)) return status;
    }
    return fail(Errc::corrupt, "a participant has an unknown status");
}

Result<ChatRow> read_chat(const Session& session, const Statement& row) {
    ChatRow out;
    out.seq = row.integer(0);
    TRY(out.chat.id, id_at<ChatId>(row, 1));
    TRY(out.chat.partner, id_at<PartnerId>(row, 2));
    out.chat.line = row.text(3);
    out.is_reusable = row.integer(4) != 0;
    out.chat.is_group = row.integer(5) != 0;
    out.chat.is_named = !row.is_null(6);
    if (out.chat.is_named) {
        TRY(out.chat.display_name,
            sealed_text_at(row, 6, session, name_field, out.chat.id.bytes()));
    }
    TRY(out.icon, optional_id_at<AttachmentId>(row, 7));
    TRY(out.chat.service, service_from(row.text(8)));
    TRY(out.chat.health, health_from(row.text(9)));
    out.chat.health_updated_at = time_at(row, 10);
    out.left_at = optional_time_at(row, 11);
    out.chat.created_at = time_at(row, 12);
    out.chat.updated_at = time_at(row, 13);
    return out;
}

auto reader(const Session& session) {
    return [&session](const Statement& row) { return read_chat(session, row); };
}

auto blocked_reader(const Session& session, PartnerId partner) {
    return [&session, partner](const Statement& row) -> Result<BlockedHandle> {
        BlockedHandle out;
        out.handle = row.text(0);
        if (!row.is_null(1)) {
            TRY(out.reason, sealed_text_at(row, 1, session, reason_field, partner.bytes()));
        }
        out.blocked_at = time_at(row, 2);
        return out;
    };
}

// The first handle is the line's own.
Result<ChatHandle> read_handle(const Statement& row) {
    ChatHandle out;
    out.is_me = row.integer(0) == 0;
    TRY(out.id, id_at<HandleId>(row, 1));
    out.handle = row.text(2);
    TRY(out.service, service_from(row.text(3)));
    TRY(out.status, status_from(row.text(4)));
    out.joined_at = time_at(row, 5);
    out.left_at = optional_time_at(row, 6);
    return out;
}

std::string joined(const std::vector<std::string>& handles, std::string_view separator) {
    std::string out;
    for (const std::string& handle : handles) {
        if (!out.empty()) out += separator;
        out += handle;
    }
    return out;
}

Result<> read_handles(Session& session, ChatRow& row) {
    TRY(auto statement,
        session.query("SELECT position, id, handle, service, status, joined_at, left_at "
                      "FROM chat_handles WHERE chat = $1 ORDER BY position",
                      row.seq));
    TRY(row.chat.handles, all_rows(*statement, read_handle));
    if (row.chat.handles.size() < 2) return fail(Errc::corrupt, "a chat has no participants");
    if (!row.chat.is_named) row.chat.display_name = joined(row.chat.recipients(), ", ");
    return {};
}

Result<std::optional<ChatRow>> read_whole(Session& session, StatementPtr statement) {
    TRY(auto row, first_row(*statement, reader(session)));
    if (row) CHECK(read_handles(session, *row));
    return row;
}

}  // namespace

std::string members_of(std::vector<std::string> handles) {
    std::ranges::sort(handles);
    return joined(handles, "\n");
}

Result<> insert_chat(Session& session, ChatRow& row) {
    const Chat& chat = row.chat;
    std::optional<Bytes> name;
    if (chat.is_named) name = session.texts().seal(name_field, chat.id.bytes(), chat.display_name);
    {
        TRY(auto added,
            session.query("INSERT INTO chats (id, partner, line, members, is_reusable, is_group, "
                          "sealed_name, service, health, health_updated_at, last_ordinal, "
                          "created_at, updated_at) "
                          "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12) "
                          "RETURNING seq",
                          chat.id, chat.partner, chat.line, members_of(chat.recipients()),
                          int{row.is_reusable}, int{chat.is_group}, name, to_string(chat.service),
                          to_string(chat.health), chat.health_updated_at, chat.created_at,
                          chat.updated_at));
        TRY([[maybe_unused]] const bool found, added->step());
        row.seq = added->integer(0);
    }
    int position = 0;
    for (const ChatHandle& handle : chat.handles) {
        CHECK(
            session.run("INSERT INTO chat_handles (chat, position, id, handle, service, status, "
                        "joined_at, left_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                        row.seq, position++, handle.id, handle.handle, to_string(handle.service),
                        to_string(handle.status), handle.joined_at, handle.left_at));
    }
    return {};
}

Result<std::optional<ChatRow>> find_chat(Session& session, ChatId id) {
    TRY(auto statement,
        session.query("SELECT " SATCHEL_CHAT_COLUMNS " FROM chats WHERE id = $1", id));
    return read_whole(session, std::move(statement));
}

Result<std::optional<ChatRow>> find_chat_by_seq(Session& session, std::int64_t seq) {
    TRY(auto statement,
        session.query("SELECT " SATCHEL_CHAT_COLUMNS " FROM chats WHERE seq = $1", seq));
    return read_whole(session, std::move(statement));
}

Result<std::optional<ChatRow>> find_chat_with(Session& session,
                                              PartnerId partner,
                                              std::string_view line,
                                              std::string_view members) {
    TRY(auto statement,
        session.query("SELECT " SATCHEL_CHAT_COLUMNS " FROM chats WHERE partner = $1 AND "
                      "line = $2 AND members = $3 AND is_reusable = 1",
                      partner, line, members));
    return read_whole(session, std::move(statement));
}

Result<std::optional<ChatRow>> find_joined_chat_with(Session& session,
                                                     PartnerId partner,
                                                     std::string_view line,
                                                     std::string_view members) {
    TRY(auto reusable, find_chat_with(session, partner, line, members));
    if (reusable) return reusable;
    TRY(auto statement,
        session.query("SELECT " SATCHEL_CHAT_COLUMNS " FROM chats WHERE partner = $1 AND "
                      "line = $2 AND members = $3 AND is_reusable = 0 AND left_at IS NULL "
                      "ORDER BY updated_at DESC, seq DESC LIMIT 1",
                      partner, line, members));
    return read_whole(session, std::move(statement));
}

Result<std::optional<ChatRow>> find_latest_chat_with(Session& session,
                                                     PartnerId partner,
                                                     std::string_view members,
                                                     const std::vector<std::string>& excluded) {
    TRY(const auto lines, lines_of(session, partner));
    std::optional<ChatRow> latest;
    for (const std::string& line : lines) {
        if (std::ranges::find(excluded, line) != excluded.end()) continue;
        TRY(auto found, find_chat_with(session, partner, line, members));
        if (!found) continue;
        if (!latest || found->chat.updated_at > latest->chat.updated_at) latest = std::move(found);
    }
    return latest;
}

Result<std::vector<ChatRow>> list_chats(Session& session,
                                        const ChatFilter& filter,
                                        std::optional<ChatPosition> after,
                                        std::size_t max) {
    const ChatPosition position = after.value_or(ChatPosition{from_micros(INT64_MAX), INT64_MAX});
    std::vector<ChatRow> rows;
    if (filter.participants.empty()) {
        TRY(auto statement,
            session.query("SELECT " SATCHEL_CHAT_COLUMNS " FROM chats WHERE partner = $1 AND "
                          "(updated_at, seq) < ($2, $3) AND ($4 = '' OR line = $4) "
                          "ORDER BY updated_at DESC, seq DESC LIMIT $5",
                          filter.partner, position.updated_at, position.seq, filter.line, max));
        TRY(rows, all_rows(*statement, reader(session)));
    } else {
        // From the participant's chats, which are few beside all.
        std::string others;
        for (const std::string& handle : filter.participants) others += handle + "\n";
        TRY(auto statement,
            session.query(
                "SELECT " SATCHEL_CHAT_COLUMNS " FROM chats WHERE partner = $1 AND "
                "(updated_at, seq) < ($2, $3) AND ($4 = '' OR line = $4) AND "
                "seq IN (SELECT chat FROM chat_handles WHERE handle = $5) AND "
                "$6 = (SELECT count(DISTINCT handle) FROM chat_handles WHERE chat = chats.seq "
                "AND instr($7, handle || char(10)) > 0) "
                "ORDER BY updated_at DESC, seq DESC LIMIT $8",
                filter.partner, position.updated_at, position.seq, filter.line,
                filter.participants.front(), filter.participants.size(), others, max));
        TRY(rows, all_rows(*statement, reader(session)));
    }
    for (ChatRow& row : rows) CHECK(read_handles(session, row));
    return rows;
}

Result<std::optional<std::int64_t>> next_ordinal(Session& session, std::int64_t chat, Time at) {
    TRY(auto statement,
        session.query("UPDATE chats SET last_ordinal = last_ordinal + 1, updated_at = "
                      "max(updated_at, $2) WHERE seq = $1 AND left_at IS NULL "
                      "RETURNING last_ordinal",
                      chat, at));
    return first_row(*statement,
                     [](const Statement& row) { return Result<std::int64_t>(row.integer(0)); });
}

Result<> set_chat_name(Session& session, const ChatRow& row, Time at) {
    std::optional<Bytes> name;
    if (row.chat.is_named) {
        name = session.texts().seal(name_field, row.chat.id.bytes(), row.chat.display_name);
    }
    return session.run(
        "UPDATE chats SET sealed_name = $2, is_reusable = 0, updated_at = max(updated_at, $3) "
        "WHERE seq = $1",
        row.seq, name, at);
}

Result<> set_chat_icon(Session& session, const ChatRow& row, Time at) {
    return session.run(
        "UPDATE chats SET icon = $2, updated_at = max(updated_at, $3) WHERE seq = $1", row.seq,
        row.icon, at);
}

Result<> store_participant(Session& session, const ChatRow& row, std::size_t position, Time at) {
    const ChatHandle& handle = row.chat.handles[position];
    CHECK(session.run(
        "INSERT INTO chat_handles (chat, position, id, handle, service, status, joined_at, "
        "left_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (chat, position) "
        "DO UPDATE SET status = $6, joined_at = $7, left_at = $8",
        row.seq, position, handle.id, handle.handle, to_string(handle.service),
        to_string(handle.status), handle.joined_at, handle.left_at));
    return session.run(
        "UPDATE chats SET members = $2, is_reusable = 0, updated_at = max(updated_at, $3) "
        "WHERE seq = $1",
        row.seq, members_of(row.chat.recipients()), at);
}

Result<> set_chat_left(Session& session, const ChatRow& row, Time at) {
    return session.run("UPDATE chats SET left_at = $2 WHERE seq = $1", row.seq, at);
}

Result<> set_chat_health(Session& session, std::int64_t chat, ChatHealth health, Time at) {
    return session.run("UPDATE chats SET health = $2, health_updated_at = $3 WHERE seq = $1", chat,
                       to_string(health), at);
}

Result<> insert_opt_out(Session& session, PartnerId partner, std::string_view handle, Time at) {
    return session.run(
        "INSERT INTO opt_outs (partner, handle, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        partner, handle, at);
}

Result<bool> remove_opt_out(Session& session, PartnerId partner, std::string_view handle) {
    TRY(auto statement,
        session.query("DELETE FROM opt_outs WHERE partner = $1 AND handle = $2 RETURNING 1",
                      partner, handle));
    return changed(*statement);
}

Result<> append_override(
    Session& session, PartnerId partner, ApiKeyId key, MessageId message, Time at) {
    return session.run(
        "INSERT INTO opt_out_overrides (at, partner, api_key, message) VALUES ($1, $2, $3, $4)", at,
        partner, key, message);
}

Result<Refusals> refusals_of(Session& session, PartnerId partner, std::string_view handle) {
    TRY(auto statement,
        session.query("SELECT EXISTS (SELECT 1 FROM opt_outs WHERE partner = $1 AND handle = $2), "
                      "EXISTS (SELECT 1 FROM blocked_handles WHERE partner = $1 AND handle = $2)",
                      partner, handle));
    TRY([[maybe_unused]] const bool found, statement->step());
    return Refusals{statement->integer(0) != 0, statement->integer(1) != 0};
}

Result<> insert_blocked_handle(Session& session, PartnerId partner, const BlockedHandle& blocked) {
    std::optional<Bytes> reason;
    if (!blocked.reason.empty()) {
        reason = session.texts().seal(reason_field, partner.bytes(), blocked.reason);
    }
    return session.run(
        "INSERT INTO blocked_handles (partner, handle, sealed_reason, blocked_at) "
        "VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        partner, blocked.handle, reason, blocked.blocked_at);
}

Result<std::optional<BlockedHandle>> find_blocked_handle(Session& session,
                                                         PartnerId partner,
                                                         std::string_view handle) {
    TRY(auto statement,
        session.query("SELECT handle, sealed_reason, blocked_at FROM blocked_handles "
                      "WHERE partner = $1 AND handle = $2",
                      partner, handle));
    return first_row(*statement, blocked_reader(session, partner));
}

Result<std::uint64_t> count_blocked_handles(Session& session, PartnerId partner) {
    TRY(auto statement,
        session.query("SELECT count(*) FROM blocked_handles WHERE partner = $1", partner));
    TRY([[maybe_unused]] const bool found, statement->step());
    return static_cast<std::uint64_t>(statement->integer(0));
}

Result<std::vector<BlockedHandle>> blocked_handles_of(Session& session, PartnerId partner) {
    TRY(auto statement,
        session.query(
            "SELECT handle, sealed_reason, blocked_at FROM blocked_handles WHERE partner = $1 "
            "ORDER BY blocked_at, handle",
            partner));
    return all_rows(*statement, blocked_reader(session, partner));
}

Result<bool> remove_blocked_handle(Session& session, PartnerId partner, std::string_view handle) {
    TRY(auto statement,
        session.query("DELETE FROM blocked_handles WHERE partner = $1 AND handle = $2 RETURNING 1",
                      partner, handle));
    return changed(*statement);
}

Result<std::optional<PartnerId>> owner_of_line(Session& session, std::string_view number) {
    TRY(auto statement, session.query("SELECT partner FROM lines WHERE number = $1", number));
    return first_row(*statement, [](const Statement& row) { return id_at<PartnerId>(row, 0); });
}

Result<std::vector<std::string>> lines_of(Session& session, PartnerId partner) {
    TRY(auto statement,
        session.query("SELECT number FROM lines WHERE partner = $1 ORDER BY number", partner));
    return all_rows(*statement,
                    [](const Statement& row) { return Result<std::string>(row.text(0)); });
}

}  // namespace satchel::meta
