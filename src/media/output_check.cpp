#include "media/output_check.hpp"

#include "base/limits.hpp"
#include "media/memory_file.hpp"

#include <array>
#include <optional>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;

// Before the frame header: far more than the longest profile and EXIF together need.
constexpr int jpeg_segments_max = 1024;

std::unexpected<Error> distrust(std::string_view why) {
    return fail(Errc::corrupt, "output of the jail: " + std::string(why));
}

template <std::size_t count>
Result<std::array<unsigned, count>> read_exactly(const Descriptor& file, std::uint64_t offset) {
    std::array<std::byte, count> bytes{};
    TRY(const std::size_t got, read_at(file, bytes, offset));
    if (got != count) return distrust("it ends too early");
    std::array<unsigned, count> values{};
    for (std::size_t i = 0; i < count; ++i) values[i] = std::to_integer<unsigned>(bytes[i]);
    return values;
}

bool is_frame_header(unsigned marker) {
    const bool is_other = marker == 0xc4 || marker == 0xc8 || marker == 0xcc;
    return marker >= 0xc0 && marker <= 0xcf && !is_other;
}

Result<Dimensions> jpeg_dimensions(const Descriptor& file) {
    std::uint64_t at = 2;
    for (int i = 0; i < jpeg_segments_max; ++i) {
        TRY(const auto head, read_exactly<4>(file, at));
        if (head[0] != 0xff) return distrust("a JPEG with bytes between its segments");
        if (is_frame_header(head[1])) {
            TRY(const auto frame, read_exactly<4>(file, at + 5));
            const Dimensions size{.width = frame[2] << 8 | frame[3],
                                  .height = frame[0] << 8 | frame[1]};
            if (size.width == 0 || size.height == 0) return distrust("a JPEG without pixels");
            return size;
        }
        at += 2 + (head[2] << 8 | head[3]);
    }
    return distrust("a JPEG without a frame");
}

bool begins_as(std::string_view head, std::string_view content_type) {
    if (content_type == "image/jpeg") return head.starts_with("\xff\xd8\xff");
    if (content_type == "image/png") return head.starts_with("\x89PNG\r\n\x1a\n");
    if (content_type == "image/tiff") {
        return head.starts_with("II*\0"sv) || head.starts_with("MM\0*"sv);
    }
    if (content_type == "image/heic" || content_type == "image/heif") {
        return head.size() >= 8 && head.substr(4, 4) == "ftyp";
    }
    return false;
}

}  // namespace

Result<Dimensions> check_output(const Descriptor& output,
                                std::string_view content_type,
                                std::uint64_t size_bytes,
                                std::uint64_t size_bytes_max) {
    // First: from here on what is checked is what is delivered.
    CHECK(seal(output));
    TRY(const std::uint64_t size, size_of(output));
    if (size != size_bytes) return distrust("its size is not as reported");
    if (size == 0 || size > size_bytes_max) return distrust("its size is out of bounds");
    std::array<std::byte, 16> head{};
    TRY(const std::size_t got, read_at(output, head, 0));
    if (!begins_as(as_text(ByteView(head).first(got)), content_type)) {
        return distrust("it does not begin as " + std::string(content_type));
    }
    if (content_type != "image/jpeg") return Dimensions{};
    TRY(const auto tail, read_exactly<2>(output, size - 2));
    if (tail[0] != 0xff || tail[1] != 0xd9) return distrust("a JPEG without an end");
    return jpeg_dimensions(output);
}

}  // namespace satchel::media
