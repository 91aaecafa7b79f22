// message.* events as subscribers read them: contract sections 5.5 to 5.7.
#pragma once

#include "model/message.hpp"
#include "webhook/outbox.hpp"

#include <string>
#include <string_view>

namespace satchel::webhook {

// Sent, received, delivered, read or failed, in both payload versions.
Event message_event(const MessageEvent& event, std::string_view trace_id);

// The text of part `part_index` was changed at `at`. Only version 2026-02-03 has this event.
Event message_edited(const Chat& chat,
                     const Message& message,
                     std::uint32_t part_index,
                     Time at,
                     std::string_view trace_id);

// Contract section 5.7.
Event chat_created(const Chat& chat, std::string_view trace_id);

}  // namespace satchel::webhook
