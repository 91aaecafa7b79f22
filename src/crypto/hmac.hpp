// HMAC-SHA256 over a message in parts. Private to this folder.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <initializer_list>

namespace satchel::crypto {

std::array<std::byte, 32> hmac_sha256_parts(ByteView key, std::initializer_list<ByteView> parts);

}  // namespace satchel::crypto
