#include "service/line_ids.hpp"

#include "crypto/digest.hpp"

#include <algorithm>
#include <string>

namespace satchel {

Uuid line_id(PartnerId partner, std::string_view number) {
    std::string text = "line-v1\n" + partner.str() + "\n";
    text += number;
    const auto digest = crypto::sha256(as_bytes(text));
    Uuid id;
    std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
    id.bytes[6] = (id.bytes[6] & std::byte{0x0f}) | std::byte{0x80};  // Version 8: our own.
    id.bytes[8] = (id.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    return id;
}

}  // namespace satchel
