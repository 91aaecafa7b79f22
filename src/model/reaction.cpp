#include "model/reaction.hpp"

#include <array>

namespace satchel {
namespace {

struct Spelling {
    ReactionType type;
    std::string_view text;
};
constexpr std::array spellings{
    Spelling{ReactionType::love, "love"},           Spelling{ReactionType::like, "like"},
    Spelling{ReactionType::dislike, "dislike"},     Spelling{ReactionType::laugh, "laugh"},
    Spelling{ReactionType::emphasize, "emphasize"}, Spelling{ReactionType::question, "question"},
    Spelling{ReactionType::custom, "custom"},
};

}  // namespace

std::string_view to_string(ReactionType type) {
    for (const Spelling& each : spellings) {
        if (each.type == type) return each.text;
    }
    return {};
}

std::optional<ReactionType> parse_reaction_type(std::string_view text) {
    for (const Spelling& each : spellings) {
        if (each.text == text) return each.type;
    }
    return std::nullopt;
}

}  // namespace satchel
