#include "base/limits.hpp"
#include "base/result.hpp"
#include "model/byte_range.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

using satchel::ByteRange;
using satchel::RangeRequest;

// The first eight bytes are the file's size, the rest is a Range header. Whatever it says, the
// ranges lie in the file, apart from one another, and are no more than the limit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
    std::uint64_t size = 0;
    if (length < sizeof size) return 0;
    std::memcpy(&size, data, sizeof size);
    if (size == 0) return 0;
    const std::string_view value(reinterpret_cast<const char*>(data) + sizeof size,
                                 length - sizeof size);
    const RangeRequest request = satchel::parse_range(value, size);
    ASSERT((request.kind == RangeRequest::Kind::partial) == !request.ranges.empty());
    ASSERT(request.ranges.size() <= satchel::limits::ranges_max);
    for (const ByteRange& range : request.ranges) {
        ASSERT(range.first <= range.last && range.last < size);
        for (const ByteRange& other : request.ranges) {
            ASSERT(&range == &other || range.last + 1 < other.first ||
                   other.last + 1 < range.first);
        }
    }
    return 0;
}
