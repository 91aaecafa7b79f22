// reaction.added and reaction.removed: contract section 5.7. Both payload versions are the same.
#pragma once

#include "model/message.hpp"
#include "webhook/outbox.hpp"

#include <string_view>

namespace satchel::webhook {

enum class ReactionChange : std::uint8_t { added, removed };

// `reaction.reacted_at` is when it was added or removed.
Event reaction_changed(const Chat& chat,
                       const Message& message,
                       const Reaction& reaction,
                       ReactionChange change,
                       std::string_view trace_id);

}  // namespace satchel::webhook
