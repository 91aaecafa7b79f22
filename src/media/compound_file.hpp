// Compound files (MS-CFB): the Office documents of 1997 to 2003, Windows installers and others.
#pragma once

#include "base/async.hpp"
#include "media/detected.hpp"
#include "media/window.hpp"

#include <string_view>

namespace satchel::media {

inline constexpr std::string_view compound_file_mark = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

// By the root's class, else by the first well-known name in the directory. A document of no known
// program (or one that was encrypted) is a guess without a type. Windows installers are forbidden.
// `window` begins with compound_file_mark.
Async<Detected> detect_compound_file(Window& window);

}  // namespace satchel::media
