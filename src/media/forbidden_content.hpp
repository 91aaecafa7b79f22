// Content that is refused whatever it is called (contract section 2.3): executables, FLAC, OGG.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>

namespace satchel::media {

// How many first bytes the decision needs, at most.
inline constexpr std::size_t sniff_bytes = 64;

// `head` is the beginning of the content, sniff_bytes of it or all.
bool is_forbidden_content(ByteView head);

}  // namespace satchel::media
