#include "model/attachment.hpp"

namespace satchel {

std::string_view to_string(AttachmentState state) {
    switch (state) {
        case AttachmentState::pending:
            return "pending";
        case AttachmentState::complete:
            return "complete";
        case AttachmentState::failed:
            return "failed";
    }
    std::unreachable();
}

std::string_view to_string(Tier tier) {
    switch (tier) {
        case Tier::persistent:
            return "persistent";
        case Tier::ephemeral:
            return "ephemeral";
    }
    std::unreachable();
}

std::optional<Tier> parse_tier(std::string_view text) {
    for (const Tier tier : {Tier::persistent, Tier::ephemeral}) {
        if (text == to_string(tier)) return tier;
    }
    return std::nullopt;
}

}  // namespace satchel
