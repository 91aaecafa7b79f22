#include "service/message_rows.hpp"

#include "meta/ownership.hpp"
#include "model/api_errors.hpp"

namespace satchel {
namespace {

ChatHandle new_handle(const std::string& handle, bool is_me, Time now) {
    ChatHandle out;
    out.id = HandleId::ordered(now);
    out.handle = handle;
    out.is_me = is_me;
    out.joined_at = now;
    return out;
}

}  // namespace

meta::ChatRow new_chat(PartnerId partner,
                       const std::string& line,
                       const std::vector<std::string>& others,
                       Time now) {
    meta::ChatRow row;
    Chat& chat = row.chat;
    chat.id = ChatId::ordered(now);
    chat.partner = partner;
    chat.line = line;
    chat.is_group = others.size() > 1;
    chat.health_updated_at = now;
    chat.created_at = now;
    chat.updated_at = now;
    chat.handles.push_back(new_handle(line, true, now));
    for (const std::string& other : others) {
        chat.handles.push_back(new_handle(other, false, now));
        chat.display_name += chat.display_name.empty() ? other : ", " + other;
    }
    return row;
}

Result<meta::ChatRow> require_chat(meta::Session& session, PartnerId partner, ChatId id) {
    TRY(auto row, meta::find_own_chat(session, id, partner));
    if (!row) {
        return fail(reasons::resource_not_found, "Chat not found");
    }
    return std::move(*row);
}

Result<meta::ChatRow> require_joined_chat(meta::Session& session, PartnerId partner, ChatId id) {
    TRY(auto row, require_chat(session, partner, id));
    if (row.left_at) return fail(reasons::chat_unavailable);
    return row;
}

Message bare_message(const meta::MessageRow& row, const Chat& chat) {
    Message message;
    message.id = row.id;
    message.chat = chat.id;
    message.partner = row.partner;
    message.direction = row.direction;
    const auto sender = static_cast<std::size_t>(row.sender);
    if (sender < chat.handles.size()) message.sender = chat.handles[sender];
    message.service = row.service;
    message.preferred_service = row.preferred_service;
    message.effect = row.effect;
    message.reply_to = row.reply_to;
    message.idempotency_key = row.idempotency_key;
    message.status = row.status;
    message.created_at = row.created_at;
    message.updated_at = row.updated_at;
    message.sent_at = row.sent_at;
    message.delivered_at = row.delivered_at;
    message.read_at = row.read_at;
    message.expires_at = row.expires_at;
    return message;
}

Result<Reaction> reaction_of(const meta::ReactionRow& row, const Chat& chat) {
    const auto sender = static_cast<std::size_t>(row.sender);
    if (sender >= chat.handles.size()) return fail(Errc::corrupt, "a reaction is from nobody");
    return Reaction{row.part_index, chat.handles[sender], row.type, row.custom_emoji,
                    row.reacted_at};
}

}  // namespace satchel
