#include "model/message_rules.hpp"

#include "base/limits.hpp"
#include "model/api_errors.hpp"

#include <algorithm>
#include <array>

namespace satchel {
namespace {

constexpr std::array<std::string_view, 4> styles{"bold", "italic", "strikethrough", "underline"};
constexpr std::array<std::string_view, 8> animations{"big",     "small",  "shake", "nod",
                                                     "explode", "ripple", "bloom", "jitter"};
constexpr std::array<std::string_view, 11> screen_effects{
    "confetti", "fireworks", "lasers",         "sparkles", "celebration", "hearts",
    "love",     "balloons",  "happy_birthday", "echo",     "spotlight"};
constexpr std::array<std::string_view, 4> bubble_effects{"slam", "loud", "gentle", "invisible"};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& names) {
    return std::ranges::find(names, text) != names.end();
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

char lower_case(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t count_utf16(std::string_view text) {
    std::size_t units = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte & 0xC0U) != 0x80U) ++units;
        if (byte >= 0xF0U) ++units;  // A surrogate pair.
    }
    return units;
}

std::unexpected<Error> bad_text(std::string message) {
    return fail(reasons::invalid_message_content, std::move(message));
}

Result<> check_decoration(const TextDecoration& each, std::size_t units) {
    if (each.begin >= each.end || each.end > units) {
        return bad_text("A text_decorations range must lie within the text");
    }
    if (each.style.empty() == each.animation.empty()) {
        return bad_text("A text decoration has exactly one of style and animation");
    }
    const bool is_known = each.animation.empty() ? is_one_of(each.style, styles)
                                                 : is_one_of(each.animation, animations);
    if (!is_known) return bad_text("A text decoration's style or animation is unknown");
    return {};
}

bool overlap(const TextDecoration& a, const TextDecoration& b) {
    return a.begin < b.end && b.begin < a.end;
}

}  // namespace

Result<> check_handle(std::string_view handle) {
    if (const auto at = handle.find('@'); at != std::string_view::npos) {
        const std::string_view host = handle.substr(at + 1);
        const bool is_email = at > 0 && handle.size() <= 254 && host.find('.') != 0 &&
                              host.find('.') != std::string_view::npos && !host.ends_with('.') &&
                              host.find('@') == std::string_view::npos &&
                              std::ranges::none_of(handle, [](char c) {
                                  return static_cast<unsigned char>(c) <= ' ' || c == 0x7F;
                              });
        if (is_email) return {};
        return fail(reasons::invalid_parameter, "A recipient's e-mail address is not valid");
    }
    const bool is_phone = handle.size() >= 3 && handle.size() <= 16 && handle[0] == '+' &&
                          handle[1] != '0' && std::ranges::all_of(handle.substr(1), is_digit);
    if (is_phone) return {};
    return fail(reasons::invalid_phone_number);
}

Result<std::vector<std::string>> check_recipients(std::vector<std::string> to) {
    if (to.empty()) return fail(reasons::invalid_parameter, "to must not be empty");
    if (to.size() > limits::recipients_max) {
        return fail(
            reasons::invalid_parameter,
            "to must not have more than " + std::to_string(limits::recipients_max) + " recipients");
    }
    std::vector<std::string> out;
    for (std::string& handle : to) {
        CHECK(check_handle(handle));
        if (std::ranges::find(out, handle) == out.end()) out.push_back(std::move(handle));
    }
    return out;
}

Result<> check_text(const TextPart& part) {
    const std::size_t characters = count_characters(part.value);
    if (characters == 0) return bad_text("A text part must not be empty");
    if (characters > limits::text_characters_max) {
        return bad_text("A text part must not have more than " +
                        std::to_string(limits::text_characters_max) + " characters");
    }
    const std::size_t units = count_utf16(part.value);
    if (part.mention_range) {
        const TextRange& range = *part.mention_range;
        if (part.mention.empty()) return bad_text("mention_range needs mention");
        if (range.begin >= range.end || range.end > units) {
            return bad_text("mention_range must lie within the text");
        }
    }
    for (std::size_t i = 0; i < part.decorations.size(); ++i) {
        const TextDecoration& each = part.decorations[i];
        CHECK(check_decoration(each, units));
        for (std::size_t j = 0; j < i; ++j) {
            const TextDecoration& other = part.decorations[j];
            const bool has_animation = !each.animation.empty() || !other.animation.empty();
            if (has_animation && overlap(each, other)) {
                return bad_text("A text animation must not overlap another decoration");
            }
        }
    }
    return {};
}

Result<> check_link(const LinkPart& part) {
    const bool is_url = part.value.starts_with("https://") || part.value.starts_with("http://");
    if (!is_url || count_characters(part.value) > limits::url_characters_max) {
        return bad_text("A link part's value must be a URL of at most " +
                        std::to_string(limits::url_characters_max) + " characters");
    }
    return {};
}

Result<Effect> make_effect(std::string_view type, std::string_view name) {
    if (type == "screen" && is_one_of(name, screen_effects)) {
        return Effect{EffectType::screen, std::string(name)};
    }
    if (type == "bubble" && is_one_of(name, bubble_effects)) {
        return Effect{EffectType::bubble, std::string(name)};
    }
    return fail(reasons::invalid_parameter, "effect: type or name is unknown");
}

bool contains_link(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), lower_case);
    return lower.find("http://") != std::string::npos ||
           lower.find("https://") != std::string::npos || lower.find("www.") != std::string::npos;
}

bool is_opt_out(std::string_view text) {
    static constexpr std::array<std::string_view, 6> words{"STOP",   "UNSUBSCRIBE", "OPTOUT",
                                                           "CANCEL", "END",         "QUIT"};
    static constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return false;
    text = text.substr(first, text.find_last_not_of(blanks) - first + 1);
    if (is_one_of(text, words)) return true;
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), lower_case);
    return lower == "opt out" || lower == "opt-out" || lower == "optout";
}

std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace satchel
