#include "media_child/exif.hpp"

#include "media_child/numbers.hpp"

namespace satchel::media {
namespace {

using namespace std::string_literals;

constexpr std::uint16_t orientation_tag = 0x0112;
constexpr std::uint16_t short_type = 3;
constexpr std::uint64_t entry_bytes = 12;

}  // namespace

std::uint16_t exif_orientation(ByteView tiff) {
    const std::optional<Order> order = byte_order_of(tiff);
    if (!order) return 1;
    const Numbers numbers(tiff, *order);
    const std::uint64_t directory = numbers.u32(4);
    const std::uint16_t count = numbers.u16(directory);
    for (std::uint16_t i = 0; i < count && numbers.good(); ++i) {
        const std::uint64_t entry = directory + 2 + i * entry_bytes;
        if (numbers.u16(entry) != orientation_tag) continue;
        const std::uint16_t value = numbers.u16(entry + 8);
        const bool valid = numbers.u16(entry + 2) == short_type && value >= 1 && value <= 8;
        return numbers.good() && valid ? value : 1;
    }
    return 1;
}

std::string exif_with_orientation(std::uint16_t orientation) {
    std::string block = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s;
    block += static_cast<char>(orientation);
    return block + "\0\0\0\0\0\0"s;
}

}  // namespace satchel::media
