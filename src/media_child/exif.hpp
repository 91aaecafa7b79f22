// The one thing in EXIF that decides how a picture looks.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <string>

namespace satchel::media {

// Orientation (1 to 8) in the first directory of `tiff`, an EXIF block from its byte order mark
// on. 1 if it has none or is broken.
std::uint16_t exif_orientation(ByteView tiff);

// An EXIF block with this orientation and nothing else.
std::string exif_with_orientation(std::uint16_t orientation);

}  // namespace satchel::media
