// A slot of table attachment_keys: a wrapped key and the version of the master key that opens it.
// One size for all, so that a slot is overwritten in place. Bytes: docs/formats/metadata.md.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace satchel::meta {

inline constexpr std::size_t wrapped_key_bytes_max = 59;

// Length, key, zeros, version (u32, little-endian).
using KeySlot = std::array<std::byte, 64>;
inline constexpr std::size_t key_slot_version_offset = 60;
static_assert(1 + wrapped_key_bytes_max == key_slot_version_offset);

// `key` has at most wrapped_key_bytes_max bytes.
inline KeySlot to_slot(ByteView key, std::uint32_t version) {
    KeySlot slot{};
    slot[0] = static_cast<std::byte>(key.size());
    std::ranges::copy(key, slot.begin() + 1);
    for (std::size_t i = 0; i < 4; ++i) {
        slot[key_slot_version_offset + i] = static_cast<std::byte>(version >> (8 * i) & 0xFF);
    }
    return slot;
}

struct SlottedKey {
    ByteView key;  // Into the slot.
    std::uint32_t version = 0;
};
// `version_of_row` is meant by a slot without a version: one of before slots had it.
inline Result<SlottedKey> from_slot(ByteView slot, std::uint32_t version_of_row) {
    const std::size_t size = slot.empty() ? 0 : std::to_integer<std::size_t>(slot[0]);
    if (slot.size() != KeySlot{}.size() || size > wrapped_key_bytes_max) {
        return fail(Errc::corrupt, "an attachment's key slot is missing or damaged");
    }
    std::uint32_t version = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        version |= std::to_integer<std::uint32_t>(slot[key_slot_version_offset + i]) << (8 * i);
    }
    return SlottedKey{slot.subspan(1, size), version == 0 ? version_of_row : version};
}

}  // namespace satchel::meta
