// Table reactions. Rows go with their message.
#pragma once

#include "meta/messages.hpp"
#include "model/reaction.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace satchel::meta {

struct ReactionRow {
    std::uint32_t part_index = 0;
    int sender = 0;  // Position among the chat's handles.
    ReactionType type = ReactionType::love;
    std::string custom_emoji;
    Time reacted_at{};
};

// Oldest first.
Result<std::vector<ReactionRow>> reactions_of(Session& session, const MessageRow& message);
// What this participant has on this part.
Result<std::optional<ReactionRow>> find_reaction(Session& session,
                                                 const MessageRow& message,
                                                 std::uint32_t part_index,
                                                 int sender);
// In the place of what this participant had on this part.
Result<> store_reaction(Session& session, const MessageRow& message, const ReactionRow& row);
Result<> remove_reaction(Session& session, const MessageRow& message, const ReactionRow& row);

}  // namespace satchel::meta
