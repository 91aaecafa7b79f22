// Whether text is the beginning of a JSON document.
#pragma once

#include <string_view>

namespace satchel::media {

// An object or an array, by the grammar of RFC 8259, up to limits::detect_json_depth_max deep.
// `is_all`: the text is the whole document and must be complete; else it may stop anywhere.
bool is_json_head(std::string_view text, bool is_all);

}  // namespace satchel::media
