// Rows as values and back, for what sends, receives and delivers messages.
#pragma once

#include "meta/chats.hpp"
#include "meta/messages.hpp"
#include "meta/reactions.hpp"
#include "model/message.hpp"

#include <string>
#include <vector>

namespace satchel {

// A chat of `line` with `others`, not stored yet. More than one makes a group.
meta::ChatRow new_chat(PartnerId partner,
                       const std::string& line,
                       const std::vector<std::string>& others,
                       Time now);

// reasons::resource_not_found for what is unknown or foreign.
Result<meta::ChatRow> require_chat(meta::Session& session, PartnerId partner, ChatId id);
// As above, and reasons::chat_unavailable once the line has left: for whatever is done in a chat.
Result<meta::ChatRow> require_joined_chat(meta::Session& session, PartnerId partner, ChatId id);

// Everything of the message but its parts and reactions.
Message bare_message(const meta::MessageRow& row, const Chat& chat);

// Errc::corrupt if its sender is no participant of the chat.
Result<Reaction> reaction_of(const meta::ReactionRow& row, const Chat& chat);

}  // namespace satchel
