// Conversations between lines of this server. Each partner has chats and messages of its own;
// these find what the other lines have of the same conversation.
#pragma once

#include "meta/chats.hpp"
#include "meta/messages.hpp"

#include <string_view>
#include <vector>

namespace satchel {

// The id of a message's copy on another line: the same each time, and beside the message's own
// in the order of ids.
MessageId copied_id(MessageId message, std::string_view line);

// The chats in which the lines of this server among `chat`'s recipients see it. One who has
// received nothing yet has none.
Result<std::vector<meta::ChatRow>> other_views(meta::Session& session, const Chat& chat);

struct MessageView {
    meta::MessageRow message;
    meta::ChatRow chat;
};
// The same message as the others of `chat` have it, whichever of them sent it, except those who
// have deleted it or left, or for whom it has expired.
Result<std::vector<MessageView>> other_views(meta::Session& session,
                                             const meta::MessageRow& message,
                                             const Chat& chat,
                                             Time now);

}  // namespace satchel
