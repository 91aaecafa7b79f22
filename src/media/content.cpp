#include "media/content.hpp"

#include <algorithm>

namespace satchel::media {

Async<std::size_t> BytesContent::read_at(std::uint64_t offset, std::span<std::byte> into) {
    const ByteView rest = bytes_.subspan(std::min<std::uint64_t>(offset, bytes_.size()));
    const ByteView found = rest.first(std::min(rest.size(), into.size()));
    std::ranges::copy(found, into.begin());
    co_return found.size();
}

}  // namespace satchel::media
