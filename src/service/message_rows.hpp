// Rows as values and back, for what sends, receives and delivers messages.
#pragma once

#include "meta/chats.hpp"
#include "meta/messages.hpp"
#include "model/message.hpp"

#include <string>
#include <vector>

namespace satchel {

// A chat of `line` with `others`, not stored yet. More than one makes a group.
meta::ChatRow new_chat(PartnerId partner,
                       const std::string& line,
                       const std::vector<std::string>& others,
                       Time now);

// Everything of the message but its parts.
Message bare_message(const meta::MessageRow& row, const Chat& chat);

}  // namespace satchel
