// Byte spans and their text forms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace satchel {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(ByteView bytes);  // Lower case.
std::optional<Bytes> from_hex(std::string_view text);
std::string to_base64(ByteView bytes);     // RFC 4648 section 4, padded.
std::string to_base64url(ByteView bytes);  // RFC 4648 section 5, no padding.
// Accepts the standard alphabet with padding only.
std::optional<Bytes> from_base64(std::string_view text);

// Integers as they stand in files and hashes: little-endian.
void append_u32(std::string& out, std::uint32_t value);
void append_u64(std::string& out, std::uint64_t value);
std::uint32_t read_u32(const std::byte* at);
std::uint64_t read_u64(const std::byte* at);

// The whole of `text` as a decimal number without sign or leading blanks.
std::optional<std::uint64_t> parse_u64(std::string_view text);

}  // namespace satchel
