// Integers in hostile files. A read outside of the bytes gives 0 and leaves good() false.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace satchel::media {

enum class Order : std::uint8_t { little, big };

class Numbers {
public:
    Numbers(ByteView bytes, Order order) : bytes_(bytes), order_(order) {}

    // `width` bytes at `at`, at most 8.
    std::uint64_t read(std::uint64_t at, unsigned width) const {
        if (at > bytes_.size() || bytes_.size() - at < width) {
            good_ = false;
            return 0;
        }
        std::uint64_t value = 0;
        for (unsigned i = 0; i < width; ++i) {
            const unsigned place = order_ == Order::big ? i : width - 1 - i;
            value = value << 8 | std::to_integer<std::uint64_t>(bytes_[at + place]);
        }
        return value;
    }
    std::uint16_t u16(std::uint64_t at) const { return static_cast<std::uint16_t>(read(at, 2)); }
    std::uint32_t u32(std::uint64_t at) const { return static_cast<std::uint32_t>(read(at, 4)); }

    bool good() const { return good_; }

private:
    ByteView bytes_;
    Order order_;
    mutable bool good_ = true;
};

// From the first four bytes of a TIFF or an EXIF block; nullopt if it is neither.
inline std::optional<Order> byte_order_of(ByteView tiff) {
    using namespace std::string_view_literals;
    if (tiff.size() < 8) return std::nullopt;
    const std::string_view mark = as_text(tiff.first(4));
    if (mark == "II*\0"sv) return Order::little;
    if (mark == "MM\0*"sv) return Order::big;
    return std::nullopt;
}

}  // namespace satchel::media
