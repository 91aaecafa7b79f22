// The card of an iMessage app. Contract section 3.4.
#pragma once

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel {

// The texts of a card's layout, by their names on the wire. The last two lie over the image.
inline constexpr std::array<std::string_view, 6> card_text_names{
    "caption",     "subcaption",    "trailing_caption", "trailing_subcaption",
    "image_title", "image_subtitle"};

struct CardText {
    std::string_view name;  // One of card_text_names.
    std::string value;
};

struct AppCard {
    std::string bundle_id;
    std::string app_name;
    std::string team_id;
    std::optional<std::int64_t> app_store_id;
    std::vector<CardText> texts;  // Those that were given, in the order of card_text_names.
    std::string url;              // Empty: none.
    std::optional<std::string> fallback_text;
    bool is_interactive = true;
};

// The name as in card_text_names; nullopt for any other.
std::optional<std::string_view> find_card_text_name(std::string_view name);

// A team id, a bundle id and a name as they must be, something to see, texts over the image only
// with one, an https URL or inline data. reasons::invalid_app_card.
enum class HasImage : bool { no, yes };
Result<> check_app_card(const AppCard& card, HasImage has_image);

}  // namespace satchel
