// Symmetric keys: derivation and one-message encryption. Formats: docs/formats/keys.md.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace satchel::crypto {

inline constexpr std::size_t tag_bytes = 16;

// 256 bits, wiped when destroyed.
struct Key {
    std::array<std::byte, 32> bytes{};

    static Key random();
    Key() = default;
    Key(const Key&) = default;
    Key& operator=(const Key&) = default;
    ~Key();
};

// HMAC-SHA256(parent, label || 0x00 || context). Distinct labels give independent keys.
Key derive(const Key& parent, std::string_view label, ByteView context);

// AES-256-GCM with an all-zero nonce: use a key for ONE message only (derive one per message).
// Output: ciphertext || 16-byte tag.
Bytes seal_once(const Key& key, ByteView aad, ByteView plaintext);
// Errc::corrupt if anything was changed.
Result<Bytes> open_once(const Key& key, ByteView aad, ByteView sealed);

// True if equal; takes the same time wherever they differ. Different lengths: false.
bool equal_constant_time(ByteView a, ByteView b);

}  // namespace satchel::crypto
