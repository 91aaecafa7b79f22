// MP4, QuickTime, 3GP and HEIF: files of boxes (ISO/IEC 14496-12).
#pragma once

#include "base/async.hpp"
#include "media/detected.hpp"
#include "media/window.hpp"

namespace satchel::media {

// By the major brand; where that leaves open whether there is a picture, by the tracks of the
// movie box, wherever in the file it is. Files without a brand are old QuickTime if they are made
// of its boxes. Certainty::none if this is no such file; a guess if the movie box is missing.
Async<Detected> detect_iso_media(Window& window);

}  // namespace satchel::media
