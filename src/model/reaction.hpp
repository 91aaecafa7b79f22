// Reactions to parts of messages. Contract section 3.1.
#pragma once

#include "base/clock.hpp"
#include "model/chat.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace satchel {

// Also the SQL and JSON spelling. Stickers come from devices only and are not among them.
enum class ReactionType : std::uint8_t { love, like, dislike, laugh, emphasize, question, custom };

// A participant has at most one on each part.
struct Reaction {
    std::uint32_t part_index = 0;
    ChatHandle who;
    ReactionType type = ReactionType::love;
    std::string custom_emoji;  // Of custom, else empty.
    Time reacted_at{};
};

std::string_view to_string(ReactionType type);
std::optional<ReactionType> parse_reaction_type(std::string_view text);

}  // namespace satchel
