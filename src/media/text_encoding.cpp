#include "media/text_encoding.hpp"

#include "media/fields.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;

// Text in an encoding before Unicode is still ASCII for so many of its bytes.
constexpr std::size_t ascii_percent_min = 75;

constexpr bool is_control(std::uint32_t c) {
    // From bell to carriage return, and escape, stand in texts.
    return c < ' ' && !(c >= '\a' && c <= '\r') && c != 0x1B;
}

// Bytes of the UTF-8 character at the beginning of `text`; 0 if it is none. At the very end it
// may be cut: then the bytes that are there.
std::size_t utf8_bytes(std::string_view text) {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::size_t there = std::min(length, text.size());
    for (std::size_t i = 1; i < there; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return 0;
    }
    if (there > 1) {
        // Too long for what they say, surrogates, beyond U+10FFFF.
        const unsigned second = byte(1);
        if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second >= 0xA0) ||
            (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second >= 0x90)) {
            return 0;
        }
    }
    return there;
}

bool is_utf8(std::string_view text, bool is_all) {
    while (!text.empty()) {
        const std::size_t length = utf8_bytes(text);
        if (length == 0) return false;
        if (length == text.size() && is_all && static_cast<unsigned char>(text[0]) >= 0xC2) {
            const auto lead = static_cast<unsigned char>(text[0]);
            return length == (lead < 0xE0 ? 2U : lead < 0xF0 ? 3U : 4U);
        }
        text.remove_prefix(length);
    }
    return true;
}

bool is_mostly_ascii(std::string_view text) {
    const auto ascii =
        std::ranges::count_if(text, [](char c) { return static_cast<signed char>(c) >= 0; });
    return static_cast<std::size_t>(ascii) * 100 >= text.size() * ascii_percent_min;
}

std::optional<std::string> read_utf16(ByteView units, bool is_big_endian) {
    std::string text;
    text.reserve(units.size() / 2);
    for (std::size_t at = 0; at + 2 <= units.size(); at += 2) {
        const std::uint16_t unit = is_big_endian ? be16(units, at) : le16(units, at);
        if (is_control(unit) || unit == 0xFFFE || unit == 0xFFFF) return std::nullopt;
        text += unit < 0x80 ? static_cast<char>(unit) : '?';
    }
    return text;
}

}  // namespace

std::optional<std::string> read_text(ByteView head, bool is_all) {
    if (has(head, 0, "\xff\xfe"sv)) return read_utf16(head.subspan(2), false);
    if (has(head, 0, "\xfe\xff"sv)) return read_utf16(head.subspan(2), true);
    const bool is_marked = has(head, 0, "\xef\xbb\xbf"sv);
    const std::string_view text = as_text(head).substr(is_marked ? 3 : 0);
    if (std::ranges::any_of(text,
                            [](char c) { return is_control(static_cast<unsigned char>(c)); })) {
        return std::nullopt;
    }
    if (!is_utf8(text, is_all) && (is_marked || !is_mostly_ascii(text))) return std::nullopt;
    return std::string(text);
}

}  // namespace satchel::media
