// Fixed fields of file formats. Whatever lies beyond the end of `bytes` reads as zero, and no
// mark is found there: parsers of cut files need no checks of their own.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace satchel::media {

inline std::uint8_t u8(ByteView bytes, std::size_t at) {
    return at < bytes.size() ? std::to_integer<std::uint8_t>(bytes[at]) : std::uint8_t{0};
}

inline std::uint16_t be16(ByteView bytes, std::size_t at) {
    return static_cast<std::uint16_t>(u8(bytes, at) << 8U | u8(bytes, at + 1));
}
inline std::uint32_t be32(ByteView bytes, std::size_t at) {
    return std::uint32_t{be16(bytes, at)} << 16U | be16(bytes, at + 2);
}
inline std::uint64_t be64(ByteView bytes, std::size_t at) {
    return std::uint64_t{be32(bytes, at)} << 32U | be32(bytes, at + 4);
}

inline std::uint16_t le16(ByteView bytes, std::size_t at) {
    return static_cast<std::uint16_t>(u8(bytes, at + 1) << 8U | u8(bytes, at));
}
inline std::uint32_t le32(ByteView bytes, std::size_t at) {
    return std::uint32_t{le16(bytes, at + 2)} << 16U | le16(bytes, at);
}
inline std::uint64_t le64(ByteView bytes, std::size_t at) {
    return std::uint64_t{le32(bytes, at + 4)} << 32U | le32(bytes, at);
}

// At most `length` bytes of text from `at` on.
inline std::string_view text_at(ByteView bytes, std::size_t at, std::size_t length) {
    return at < bytes.size() ? as_text(bytes).substr(at, length) : std::string_view();
}

inline bool has(ByteView bytes, std::size_t at, std::string_view mark) {
    return text_at(bytes, at, mark.size()) == mark;
}

constexpr bool is_one_of(const auto& value, const auto& list) {
    for (const auto& each : list) {
        if (each == value) return true;
    }
    return false;
}

}  // namespace satchel::media
