#include "model/filename.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "model/api_errors.hpp"

#include <algorithm>
#include <array>

namespace satchel {
namespace {

constexpr std::array<std::string_view, 16> executable_extensions{
    "exe", "dll", "msi", "bat", "cmd", "com", "scr", "sh",
    "app", "apk", "dmg", "jar", "ps1", "vbs", "deb", "rpm"};

// Three characters for each byte of an ASCII name of full length. Longer URLs meet limits of
// proxies and clients.
constexpr std::size_t url_segment_characters_max = 3 * limits::filename_characters_max;
constexpr std::size_t kept_extension_bytes_max = 16;

unsigned char to_byte(char c) {
    return static_cast<unsigned char>(c);
}
bool is_control(char c) {
    return to_byte(c) < 0x20 || c == 0x7f;
}
bool is_continuation(char c) {
    return (to_byte(c) & 0xc0U) == 0x80;
}

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_unreserved(char c) {  // RFC 3986
    return is_alphanumeric(c) || std::string_view("-._~").find(c) != std::string_view::npos;
}

bool is_attr_char(char c) {  // RFC 8187
    return is_alphanumeric(c) || std::string_view("!#$&+-.^_`|~").find(c) != std::string_view::npos;
}

std::size_t count_code_points(std::string_view utf8) {
    return static_cast<std::size_t>(
        std::ranges::count_if(utf8, [](char c) { return !is_continuation(c); }));
}

// What file systems would take for the extension: after the last dot, without trailing dots,
// blanks and control characters, lower case.
std::string extension_of(std::string_view name) {
    while (!name.empty() && (name.back() == '.' || name.back() == ' ' || is_control(name.back()))) {
        name.remove_suffix(1);
    }
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos) return {};
    std::string extension(name.substr(dot + 1));
    std::ranges::transform(extension, extension.begin(), to_lower);
    return extension;
}

// The name as one that a client could store: no separators or control characters (those of
// Latin-1, too: C2 80 to C2 9F), not hidden. Never empty.
std::string storable(std::string_view name) {
    std::string safe;
    safe.reserve(name.size());
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const bool is_latin1_control = to_byte(c) == 0xc2 && i + 1 < name.size() &&
                                       to_byte(name[i + 1]) >= 0x80 && to_byte(name[i + 1]) <= 0x9f;
        if (is_latin1_control) ++i;
        const bool is_replaced = is_latin1_control || is_control(c) || c == '/' || c == '\\';
        safe += is_replaced ? '_' : c;
    }
    safe.erase(0, std::min(safe.find_first_not_of('.'), safe.size()));
    return safe.empty() ? "file" : safe;
}

template <class Keep>
std::string percent_encode(std::string_view bytes, Keep keep) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(bytes.size() * 3);
    for (const char c : bytes) {
        if (keep(c)) {
            out += c;
        } else {
            out += '%';
            out += digits[to_byte(c) >> 4];
            out += digits[to_byte(c) & 15];
        }
    }
    return out;
}

// How many first bytes of `text` are whole characters whose encoded form fits into `room`.
std::size_t fitting_prefix(std::string_view text, std::size_t room) {
    std::size_t encoded = 0;
    std::size_t whole = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!is_continuation(text[i])) whole = i;
        encoded += is_unreserved(text[i]) ? 1 : 3;
        if (encoded > room) return whole;
    }
    return text.size();
}

// The bytes of the character that begins with `first`; 0: none does.
std::size_t character_bytes(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return 2;
    if (first >= 0xe0 && first <= 0xef) return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t size = character_bytes(to_byte(text[0]));
        if (size == 0 || size > text.size()) return false;
        if (!std::ranges::all_of(text.substr(1, size - 1), is_continuation)) return false;
        if (size > 2) {
            // Longer than need be, half of a surrogate pair, or beyond the last code point.
            const unsigned begin = to_byte(text[0]) * 256U + to_byte(text[1]);
            const bool is_overlong = begin < 0xe0a0 || (begin >= 0xf000 && begin < 0xf090);
            if (is_overlong || (begin >= 0xeda0 && begin < 0xee00) || begin >= 0xf490) return false;
        }
        text.remove_prefix(size);
    }
    return true;
}

}  // namespace

Result<> check_filename(std::string_view name) {
    const std::size_t length = count_code_points(name);
    if (length < 1 || length > limits::filename_characters_max) {
        return fail(reasons::invalid_parameter,
                    "filename must have 1 to " + std::to_string(limits::filename_characters_max) +
                        " characters");
    }
    const std::string extension = extension_of(name);
    if (std::ranges::find(executable_extensions, extension) != executable_extensions.end()) {
        return fail(reasons::invalid_file_type,
                    "A file that ends in ." + extension +
                        " is not supported: executable files are never accepted");
    }
    return {};
}

std::string filename_for_url(std::string_view name) {
    const std::string safe = storable(name);
    std::string encoded = percent_encode(safe, is_unreserved);
    if (encoded.size() <= url_segment_characters_max) return encoded;

    std::string_view stem = safe;
    std::string extension;
    const auto dot = safe.rfind('.');
    if (dot != std::string::npos && safe.size() - dot <= kept_extension_bytes_max) {
        stem = stem.substr(0, dot);
        extension = percent_encode(safe.substr(dot), is_unreserved);
    }
    const std::size_t room = url_segment_characters_max - extension.size();
    return percent_encode(stem.substr(0, fitting_prefix(stem, room)), is_unreserved) + extension;
}

std::string filename_in_url(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    const auto host = url.find("://");
    if (host != std::string_view::npos) url.remove_prefix(host + 3);
    const auto slash = url.rfind('/');
    if (slash == std::string_view::npos || slash + 1 == url.size()) return "attachment";
    const std::string_view segment = url.substr(slash + 1);
    std::string name;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        const auto byte = segment[i] == '%' && i + 2 < segment.size()
                              ? from_hex(segment.substr(i + 1, 2))
                              : std::nullopt;
        if (byte && !byte->empty()) {
            name += static_cast<char>(byte->front());
            i += 2;
        } else {
            name += segment[i];
        }
    }
    return is_utf8(name) ? name : std::string(segment);
}

std::string filename_for_header(std::string_view name) {
    const std::string safe = storable(name);
    std::string ascii;
    for (const char c : safe) {
        if (is_continuation(c)) continue;  // One placeholder a character.
        // Some readers decode percent signs even here.
        const bool is_plain = to_byte(c) < 0x80 && c != '"' && c != '%';
        ascii += is_plain ? c : '_';
    }
    std::string parameters = "filename=\"" + ascii + '"';
    if (ascii != safe) {
        parameters += "; filename*=UTF-8''" + percent_encode(safe, is_attr_char);
    }
    return parameters;
}

std::string with_extension(std::string_view name, std::string_view extension) {
    const auto dot = name.rfind('.');
    // A leading dot begins a name.
    if (dot != std::string_view::npos && dot != 0) name = name.substr(0, dot);
    return std::string(name).append(".").append(extension);
}

}  // namespace satchel
