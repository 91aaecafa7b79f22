#include "media_child/strip.hpp"

#include "media_child/exif.hpp"

#include <gtest/gtest.h>

namespace satchel::media {
namespace {
}
}  // namespace satchel::media
