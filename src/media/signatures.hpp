// Formats that say at a fixed place what they are.
#pragma once

#include "base/bytes.hpp"
#include "media/detected.hpp"

#include <cstddef>

namespace satchel::media {

// What the beginning `head` proves by itself; Certainty::none if nothing. Families with an inside
// to look at (ZIP, compound files, MP4) are not here.
Detected find_signature(ByteView head);

// The part of it that forbids. Needs sniff_bytes, at most.
Detected find_forbidden_signature(ByteView head);

// No control characters but those of text: in a mark's neighbourhood, this tells a word from a
// header.
bool reads_as_ascii(ByteView bytes);

}  // namespace satchel::media
