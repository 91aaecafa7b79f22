// ZIP archives and the formats that are ZIP archives inside.
#pragma once

#include "base/async.hpp"
#include "media/detected.hpp"
#include "media/window.hpp"

namespace satchel::media {

// By the names in the central directory, which is looked for from the end: what stands in front
// of the archive does not matter. An archive whose directory is lost goes by the entries at its
// beginning and is a guess. JAR and APK files are forbidden whatever else is in them.
// Certainty::none if there is neither.
Async<Detected> detect_zip(Window& window);

}  // namespace satchel::media
