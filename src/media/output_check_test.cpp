#include "media/output_check.hpp"

#include "media/memory_file.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace satchel::media {
namespace {

using namespace std::string_literals;

constexpr std::uint64_t size_max = 1000;

Result<Dimensions> check(std::string_view bytes, std::string_view type, std::uint64_t said) {
    Result<Descriptor> output = make_memory_file("output");
    EXPECT_TRUE(append(*output, as_bytes(bytes)));
    return check_output(*output, type, said, size_max);
}

Result<Dimensions> check(std::string_view bytes, std::string_view type) {
    return check(bytes, type, bytes.size());
}

const std::string jpeg = "\xff\xd8\xff\xc0\0\x0b\x08\0\x03\0\x02\x01\x01\x11\0\xff\xd9"s;

TEST(OutputCheckTest, a_jpeg_has_the_size_in_its_frame) {
    const auto found = check(jpeg, "image/jpeg");
    ASSERT_TRUE(found) << found.error().detail;
    EXPECT_EQ(found->width, 2U);
    EXPECT_EQ(found->height, 3U);
}

TEST(OutputCheckTest, each_type_is_known_by_its_marks) {
    EXPECT_TRUE(check("\x89PNG\r\n\x1a\n and more", "image/png"));
    EXPECT_TRUE(check("II*\0 and more"s, "image/tiff"));
    EXPECT_TRUE(check("MM\0* and more"s, "image/tiff"));
    EXPECT_TRUE(check("\0\0\0\x18"s + "ftypheic", "image/heic"));
    EXPECT_EQ(check(jpeg, "image/png").error().code, Errc::corrupt);
    EXPECT_EQ(check("\x89PNG\r\n\x1a\n", "image/jpeg").error().code, Errc::corrupt);
    EXPECT_EQ(check("anything", "text/plain").error().code, Errc::corrupt);
}

TEST(OutputCheckTest, what_is_shorter_than_any_mark_is_corrupt) {
    for (const char* type : {"image/jpeg", "image/png", "image/tiff", "image/heic", "image/heif"}) {
        for (std::size_t size = 0; size < 8; ++size) {
            EXPECT_EQ(check(std::string(size, '\xff'), type).error().code, Errc::corrupt)
                << type << " " << size;
        }
    }
}

TEST(OutputCheckTest, a_cut_jpeg_is_corrupt_wherever_it_was_cut) {
    for (std::size_t size = 0; size < jpeg.size(); ++size) {
        EXPECT_EQ(check(jpeg.substr(0, size), "image/jpeg").error().code, Errc::corrupt) << size;
    }
}

TEST(OutputCheckTest, another_size_than_said_or_allowed_is_corrupt) {
    EXPECT_EQ(check(jpeg, "image/jpeg", jpeg.size() - 1).error().code, Errc::corrupt);
    EXPECT_EQ(check(jpeg, "image/jpeg", jpeg.size() + 1).error().code, Errc::corrupt);
    EXPECT_EQ(check("II*\0"s + std::string(size_max, 'x'), "image/tiff").error().code,
              Errc::corrupt);
}

}  // namespace
}  // namespace satchel::media
