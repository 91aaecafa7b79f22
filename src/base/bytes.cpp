#include "base/bytes.hpp"

#include <array>
#include <charconv>

namespace satchel {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string encode_base64(ByteView bytes, std::string_view digits, bool pad) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t k = 0; k < 3; ++k) {
            group = group << 8 | (k < n ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            if (k <= n) {
                out += digits[group >> (18 - 6 * k) & 63U];
            } else if (pad) {
                out += '=';
            }
        }
    }
    return out;
}

}  // namespace

std::string to_hex(ByteView bytes) {
    std::string out(bytes.size() * 2, '0');
    char* at = out.data();
    for (const std::byte b : bytes) {
        *at++ = hex_digits[std::to_integer<std::size_t>(b >> 4)];
        *at++ = hex_digits[std::to_integer<std::size_t>(b & std::byte{15})];
    }
    return out;
}

std::optional<Bytes> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    Bytes out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out.push_back(static_cast<std::byte>(high * 16 + low));
    }
    return out;
}

std::string to_base64(ByteView bytes) {
    return encode_base64(bytes, base64_digits, true);
}

std::string to_base64url(ByteView bytes) {
    return encode_base64(bytes, base64url_digits, false);
}

std::optional<Bytes> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') {
        ++padding;
    }
    Bytes out;
    out.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool is_last = i + 4 == text.size();
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const bool is_padding = is_last && k >= 4 - padding;
            const auto digit = is_padding ? 0 : base64_digits.find(text[i + k]);
            if (digit == std::string_view::npos) return std::nullopt;
            group = group << 6 | static_cast<std::uint32_t>(digit);
        }
        const std::size_t n = is_last ? 3 - padding : 3;
        for (std::size_t k = 0; k < n; ++k) {
            out.push_back(static_cast<std::byte>(group >> (16 - 8 * k) & 255U));
        }
        // Bits behind the last byte must be zero, so that each text has one meaning.
        if (is_last && padding > 0 && (group & ((1U << (8 * padding)) - 1)) != 0) {
            return std::nullopt;
        }
    }
    return out;
}

void append_u32(std::string& out, std::uint32_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out += static_cast<char>(static_cast<unsigned char>(value >> shift));
    }
}

void append_u64(std::string& out, std::uint64_t value) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
        out += static_cast<char>(static_cast<unsigned char>(value >> shift));
    }
}

std::uint32_t read_u32(const std::byte* at) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(at[i]) << (8 * i);
    return value;
}

std::uint64_t read_u64(const std::byte* at) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 8; ++i) value |= std::to_integer<std::uint64_t>(at[i]) << (8 * i);
    return value;
}

std::optional<std::uint64_t> parse_u64(std::string_view text) {
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace satchel
