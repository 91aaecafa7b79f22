// Incremental digests, made only when somebody asked for one.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace satchel::crypto {

enum class DigestKind : std::uint8_t { sha256, md5, crc32, crc32c };

// Not thread-safe; may move between threads between calls.
class Digest {
public:
    explicit Digest(DigestKind kind);
    ~Digest();
    Digest(Digest&&) noexcept;
    Digest& operator=(Digest&&) noexcept;

    void update(ByteView bytes);
    // Raw bytes: 32 (sha256), 16 (md5) or 4, big-endian, as S3 encodes them (crc32, crc32c).
    // Call once, last.
    Bytes finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

std::array<std::byte, 32> sha256(ByteView bytes);
std::array<std::byte, 32> hmac_sha256(ByteView key, ByteView message);

}  // namespace satchel::crypto
