// Encrypts one long byte string as numbered frames, each on its own authenticated
// (AES-256-GCM). Format: docs/formats/blob.md.
#pragma once

#include "crypto/key.hpp"

#include <cstdint>
#include <memory>
#include <span>

namespace satchel::crypto {

// Whether a frame is the last of its string; bound into the frame, so that a string cut at a
// frame border, or continued, is detected.
enum class Last : bool { no, yes };

// One instance a string and direction; the key must belong to this string alone.
// Not thread-safe; may move between threads between calls.
class FrameCipher {
public:
    explicit FrameCipher(const Key& key);
    ~FrameCipher();
    FrameCipher(FrameCipher&&) noexcept;
    FrameCipher& operator=(FrameCipher&&) noexcept;

    // In place. Never seal two different texts under one index.
    void seal(std::uint64_t index,
              Last last,
              std::span<std::byte> text,
              std::span<std::byte, tag_bytes> tag);

    // In place. Errc::corrupt if a bit of text or tag, the index or `last` differs from what
    // was sealed; `text` is then zeroed.
    Result<> open(std::uint64_t index,
                  Last last,
                  std::span<std::byte> text,
                  std::span<const std::byte, tag_bytes> tag);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace satchel::crypto
