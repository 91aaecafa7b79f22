// Formats that are text: told apart by how they begin.
#pragma once

#include "base/bytes.hpp"
#include "media/detected.hpp"

namespace satchel::media {

// `head` is the beginning of the content; `is_all`: there is no more of it. Text is UTF-8, with
// or without a byte order mark, UTF-16 with one, or an older one-byte encoding that is ASCII for
// the most part.
// Plain text and CSV are guesses: nothing in them says what they are.
// Certainty::none if `head` is no text.
Detected detect_text(ByteView head, bool is_all);

// text/plain, text/markdown and whatever else has no mark of its own.
inline constexpr Detected plain_text = probably(Kind::text, "text/plain", "text");

}  // namespace satchel::media
