#include "model/app_card.hpp"

#include "base/limits.hpp"
#include "model/api_errors.hpp"
#include "model/message_rules.hpp"

#include <algorithm>

namespace satchel {
namespace {

constexpr std::size_t team_id_characters = 10;

std::unexpected<Error> bad_card(std::string message) {
    return fail(reasons::invalid_app_card, std::move(message));
}

bool is_team_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_within(std::string_view text, std::size_t max) {
    return !text.empty() && count_characters(text) <= max;
}

Result<> check_app(const AppCard& card) {
    if (!is_within(card.bundle_id, limits::app_card_text_characters_max) ||
        card.bundle_id.find(':') != std::string::npos) {
        return bad_card("app.bundle_id must not be empty, nor contain a colon");
    }
    if (!is_within(card.app_name, limits::app_card_text_characters_max)) {
        return bad_card("app.name must not be empty");
    }
    if (card.team_id.size() != team_id_characters ||
        !std::ranges::all_of(card.team_id, is_team_character)) {
        return bad_card("app.team_id must be 10 upper-case letters and digits");
    }
    if (card.app_store_id && *card.app_store_id <= 0) {
        return bad_card("app.app_store_id must be a positive number");
    }
    return {};
}

Result<> check_layout(const AppCard& card, HasImage has_image) {
    bool is_visible = has_image == HasImage::yes;
    for (const CardText& text : card.texts) {
        if (!is_within(text.value, limits::app_card_text_characters_max)) {
            return bad_card("layout." + std::string(text.name) + " must have between 1 and " +
                            std::to_string(limits::app_card_text_characters_max) + " characters");
        }
        if (!text.name.starts_with("image_")) {
            is_visible = true;
        } else if (has_image == HasImage::no) {
            return bad_card("layout." + std::string(text.name) + " needs layout.image_url");
        }
    }
    if (!is_visible) return bad_card("layout must show something: give it a caption or an image");
    return {};
}

}  // namespace

std::optional<std::string_view> find_card_text_name(std::string_view name) {
    const auto found = std::ranges::find(card_text_names, name);
    if (found == card_text_names.end()) return std::nullopt;
    return *found;
}

Result<> check_app_card(const AppCard& card, HasImage has_image) {
    CHECK(check_app(card));
    CHECK(check_layout(card, has_image));
    const bool is_data = card.url.starts_with("data:");
    if (!card.url.empty() && !is_data && !card.url.starts_with("https://")) {
        return bad_card("url must begin with https:// or data:");
    }
    const std::size_t url_max =
        is_data ? limits::app_card_data_url_characters_max : limits::url_characters_max;
    if (count_characters(card.url) > url_max) {
        return bad_card("url must not have more than " + std::to_string(url_max) + " characters");
    }
    if (card.fallback_text &&
        !is_within(*card.fallback_text, limits::app_card_text_characters_max)) {
        return bad_card("fallback_text must have between 1 and " +
                        std::to_string(limits::app_card_text_characters_max) + " characters");
    }
    return {};
}

}  // namespace satchel
