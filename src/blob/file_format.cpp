#include "blob/file_format.hpp"

#include <algorithm>
#include <string>

namespace satchel::blob {

Header make_header(const BlobId& id) {
    std::string text = "SATCHELB";
    append_u32(text, 1);  // Version.
    append_u32(text, limits::frame_bytes);
    text += as_text(id.bytes());
    Header header{};
    std::ranges::copy(as_bytes(text), header.begin());
    return header;
}

}  // namespace satchel::blob
