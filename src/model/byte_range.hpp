// HTTP byte ranges (RFC 9110 section 14).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace satchel {

struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;  // Inclusive, as in Content-Range.
    std::uint64_t size() const { return last - first + 1; }
    bool operator==(const ByteRange&) const = default;
};

struct RangeRequest {
    enum class Kind : std::uint8_t {
        whole,          // No Range, not bytes, malformed, or not worth splitting: answer 200.
        partial,        // Answer 206 with `ranges`.
        unsatisfiable,  // Answer 416.
    };
    Kind kind = Kind::whole;
    // In the order asked for; overlapping and adjacent ones merged. At most
    // limits::ranges_max: more than that asked for is answered whole.
    std::vector<ByteRange> ranges;
};

// `value`: the Range header's value. `size` > 0.
RangeRequest parse_range(std::string_view value, std::uint64_t size);

}  // namespace satchel
