#include "meta/reactions.hpp"

#include "meta/columns.hpp"

namespace satchel::meta {
namespace {

#define SATCHEL_REACTION_COLUMNS "part, sender, type, sealed_emoji, reacted_at"

constexpr std::string_view emoji_field = "reaction emoji";

auto reader(const Session& session, const MessageRow& message) {
    return [&session, &message](const Statement& row) -> Result<ReactionRow> {
        ReactionRow out;
        out.part_index = static_cast<std::uint32_t>(row.integer(0));
        out.sender = static_cast<int>(row.integer(1));
        const auto type = parse_reaction_type(row.text(2));
        if (!type) return fail(Errc::corrupt, "a reaction has an unknown type");
        out.type = *type;
        if (!row.is_null(3)) {
            TRY(out.custom_emoji, sealed_text_at(row, 3, session, emoji_field, message.id.bytes()));
        }
        out.reacted_at = time_at(row, 4);
        return out;
    };
}

}  // namespace

Result<std::vector<ReactionRow>> reactions_of(Session& session, const MessageRow& message) {
    TRY(auto statement,
        session.query("SELECT " SATCHEL_REACTION_COLUMNS " FROM reactions WHERE message = $1 "
                      "ORDER BY reacted_at, part, sender",
                      message.seq));
    return all_rows(*statement, reader(session, message));
}

Result<std::optional<ReactionRow>> find_reaction(Session& session,
                                                 const MessageRow& message,
                                                 std::uint32_t part_index,
                                                 int sender) {
    TRY(auto statement,
        session.query("SELECT " SATCHEL_REACTION_COLUMNS " FROM reactions WHERE message = $1 "
                      "AND part = $2 AND sender = $3",
                      message.seq, part_index, sender));
    return first_row(*statement, reader(session, message));
}

Result<> store_reaction(Session& session, const MessageRow& message, const ReactionRow& row) {
    std::optional<Bytes> emoji;
    if (!row.custom_emoji.empty()) {
        emoji = session.texts().seal(emoji_field, message.id.bytes(), row.custom_emoji);
    }
    return session.run(
        "INSERT INTO reactions (message, part, sender, type, sealed_emoji, reacted_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (message, part, sender) "
        "DO UPDATE SET type = $4, sealed_emoji = $5, reacted_at = $6",
        message.seq, row.part_index, row.sender, to_string(row.type), emoji, row.reacted_at);
}

Result<> remove_reaction(Session& session, const MessageRow& message, const ReactionRow& row) {
    return session.run("DELETE FROM reactions WHERE message = $1 AND part = $2 AND sender = $3",
                       message.seq, row.part_index, row.sender);
}

}  // namespace satchel::meta
