// The stored form of a blob, version 1: docs/formats/blob.md. Every number here is frozen.
#pragma once

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "crypto/key.hpp"
#include "model/ids.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace satchel::blob {

inline constexpr std::size_t header_bytes = 64;
inline constexpr std::size_t stored_frame_bytes = limits::frame_bytes + crypto::tag_bytes;
static_assert(limits::frame_bytes == 65536 && crypto::tag_bytes == 16,
              "stored files have these numbers");

using Header = std::array<std::byte, header_bytes>;

// The one header that a blob's file can have: reading is comparing.
Header make_header(const BlobId& id);

// A content size that a file can have: not empty, and no sum below overflows.
constexpr bool is_storable(std::uint64_t content_size) {
    return content_size > 0 && content_size <= (std::uint64_t{1} << 60);
}

constexpr std::uint64_t frame_count(std::uint64_t content_size) {
    return (content_size + limits::frame_bytes - 1) / limits::frame_bytes;
}

// The length of the file for a storable content size.
constexpr std::uint64_t stored_size(std::uint64_t content_size) {
    return header_bytes + content_size + frame_count(content_size) * crypto::tag_bytes;
}

constexpr std::uint64_t frame_position(std::uint64_t index) {
    return header_bytes + index * stored_frame_bytes;
}

}  // namespace satchel::blob
