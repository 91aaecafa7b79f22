// CRC-32C (Castagnoli, RFC 3720), by the processor's instruction where it has one. For pages in
// memory; what streams goes through Digest.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>

namespace satchel::crypto {

// Continues `crc`, which starts at 0.
std::uint32_t crc32c(std::uint32_t crc, ByteView bytes);

// The two ways to the same number. The second needs has_crc32c_instruction().
std::uint32_t crc32c_by_table(std::uint32_t crc, ByteView bytes);
std::uint32_t crc32c_by_instruction(std::uint32_t crc, ByteView bytes);
bool has_crc32c_instruction();

}  // namespace satchel::crypto
