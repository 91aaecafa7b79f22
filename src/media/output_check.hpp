// What a jailed child wrote, before anybody believes that it is what was ordered.
#pragma once

#include "base/descriptor.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string_view>

namespace satchel::media {

struct Dimensions {
    std::uint32_t width = 0;  // Pixels; 0 where the format is not looked into.
    std::uint32_t height = 0;
};

// Seals `output`, whose writer has ended, and checks that it has `size_bytes` (at least one, at
// most `size_bytes_max`) and begins, and a JPEG ends, as content of `content_type` does. The
// dimensions of a JPEG are those in its own frame header. Errc::corrupt if anything is otherwise.
Result<Dimensions> check_output(const Descriptor& output,
                                std::string_view content_type,
                                std::uint64_t size_bytes,
                                std::uint64_t size_bytes_max);

}  // namespace satchel::media
