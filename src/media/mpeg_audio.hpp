// Streams of audio frames: MP3 and its elder brothers (ISO/IEC 11172-3), AAC in ADTS.
#pragma once

#include "base/async.hpp"
#include "media/detected.hpp"
#include "media/window.hpp"

namespace satchel::media {

// Two frames in a row, or one that is all there is, perhaps behind ID3 tags. Behind a tag
// also FLAC and OGG are found. A tag with nothing known behind it is a guess: audio/mpeg.
// Certainty::none if this is no such stream.
Async<Detected> detect_mpeg_audio(Window& window);

}  // namespace satchel::media
