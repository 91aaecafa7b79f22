// Text of any encoding as ASCII, for marks are ASCII.
#pragma once

#include "base/bytes.hpp"

#include <optional>
#include <string>

namespace satchel::media {

// `head` without its byte order mark, and from UTF-16 each character beyond ASCII as '?'.
// UTF-8 and older encodings stay as they are. nullopt if `head` is no text: control characters,
// or too much that is neither UTF-8 nor ASCII. `is_all`: the last character must be complete.
std::optional<std::string> read_text(ByteView head, bool is_all);

}  // namespace satchel::media
