// Pictures that are made to hurt: each is refused, most by its header, and the next job works.
#include "tests/support/jailed.hpp"
#include "tests/support/pictures.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace satchel::media {
namespace {

using namespace std::string_literals;
using test::big;
using test::little;

std::string png_chunk(std::string_view type, std::string_view content) {
    const std::string body = std::string(type) + std::string(content);
    std::uint32_t sum = ~0U;
    for (const char c : body) {
        sum ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320U : 0);
    }
    return big(content.size(), 4) + body + big(~sum, 4);
}

std::string png(std::uint32_t width, std::uint32_t height) {
    return "\x89PNG\r\n\x1a\n"s +
           png_chunk("IHDR", big(width, 4) + big(height, 4) + "\x08\x02\0\0\0"s) +
           png_chunk("IDAT", "\x78\x9c\x03\0\0\0\0\x01"s) + png_chunk("IEND", "");
}

// Of frames that cover it: the decoder takes the size from them.
std::string gif(std::uint32_t width, std::uint32_t height, int frames) {
    std::string file =
        "GIF89a" + little(width, 2) + little(height, 2) + "\x80\0\0"s + "\0\0\0\xff\xff\xff"s;
    const std::string frame = "\x2c"s + std::string(4, '\0') + little(width, 2) +
                              little(height, 2) + "\0\x02\x02\x4c\x01\0"s;
    for (int i = 0; i < frames; ++i) file += frame;
    return file + "\x3b";
}

class ImageBombsTest : public testing::Test {
protected:
    Errc refusal(Form form, std::string_view type, std::string_view bytes) {
        const Result<Product> product =
            jailed_.convert(form, type, bytes, form == Form::preview ? 64 : 0);
        EXPECT_FALSE(product);
        return product ? Errc::internal : product.error().code;
    }
    void TearDown() override {
        EXPECT_TRUE(jailed_.convert(Form::preview, "image/gif", gif(8, 8, 1), 8))
            << "the jail does not work on";
    }

    test::Jailed jailed_{"satchel-media"};
};

TEST_F(ImageBombsTest, a_small_gif_is_no_bomb) {
    EXPECT_TRUE(jailed_.convert(Form::preview, "image/gif", gif(8, 8, 10), 8));
}

TEST_F(ImageBombsTest, too_many_pixels_are_refused_by_the_header) {
    EXPECT_EQ(refusal(Form::preview, "image/png", png(65'000, 65'000)), Errc::too_large);
    EXPECT_EQ(refusal(Form::jpeg, "image/tiff", test::tiff({{.width = 65'000, .height = 65'000}})),
              Errc::too_large);
    EXPECT_EQ(refusal(Form::jpeg, "image/tiff", test::tiff({{.width = 80'000, .height = 10}})),
              Errc::too_large)
        << "longer than a side of a JPEG";
}

TEST_F(ImageBombsTest, a_picture_that_takes_more_memory_than_a_job_has_is_refused) {
    EXPECT_EQ(refusal(Form::preview, "image/gif", gif(9'900, 9'900, 2)), Errc::too_large);
}

TEST_F(ImageBombsTest, too_many_frames_are_refused) {
    EXPECT_EQ(refusal(Form::preview, "image/gif", gif(8, 8, 100'000)), Errc::too_large);
}

TEST_F(ImageBombsTest, tiffs_that_lie_are_refused) {
    const auto paint = [](unsigned x, unsigned y) { return test::Colour{x, y, 0}; };
    // Strips beyond the end, strips that are not there, a compression nobody needs, a picture of
    // so many channels.
    for (const test::TiffPage& page :
         {test::TiffPage{.paint = paint, .strip_offset_lie = 0x7fff'fff0},
          test::TiffPage{.width = 5000, .height = 5000},
          test::TiffPage{.paint = paint, .longs = {{259, 34'712}}},
          test::TiffPage{.paint = paint, .longs = {{277, 60'000}}}}) {
        EXPECT_EQ(refusal(Form::jpeg, "image/tiff", test::tiff({page})), Errc::corrupt);
    }
}

TEST_F(ImageBombsTest, lengths_that_lie_reach_no_memory_that_is_not_the_files) {
    const auto paint = [](unsigned, unsigned) { return test::Colour{200, 200, 200}; };
    for (const unsigned length : {1U, 0xffffU, 0xffff'fff0U}) {
        const Result<Product> product = jailed_.convert(
            Form::jpeg, "image/tiff", test::tiff({{.paint = paint, .strip_bytes_lie = length}}));
        if (!product) {
            EXPECT_EQ(product.error().code, Errc::corrupt);
            continue;
        }
        test::expect_near(test::decoded(test::content_of(*product)).at(31, 15), {200, 200, 200});
    }
}

TEST_F(ImageBombsTest, other_formats_under_the_name_of_a_picture_are_refused) {
    for (const std::string_view content :
         {"<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'/>",
          "<?xml version='1.0'?><image><read filename='/etc/passwd'/></image>",
          "push graphic-context\nviewbox 0 0 8 8\nimage over 0,0 0,0 'https://127.0.0.1/'\n",
          "%!PS\n(/etc/passwd) run\n", "P6 1 1 255 abc", "", "\x89PNG", "II*"}) {
        for (const std::string_view type : {"image/png", "image/jpeg", "image/gif", "image/tiff",
                                            "image/heic", "image/webp", "application/pdf"}) {
            SCOPED_TRACE(std::string(type) + ": " + std::string(content));
            EXPECT_EQ(refusal(Form::preview, type, content), Errc::corrupt);
        }
    }
}

TEST_F(ImageBombsTest, a_picture_under_the_name_of_another_is_refused) {
    EXPECT_EQ(refusal(Form::preview, "image/png", gif(8, 8, 1)), Errc::corrupt);
    EXPECT_EQ(refusal(Form::stripped, "image/jpeg", gif(8, 8, 1)), Errc::corrupt);
    EXPECT_EQ(refusal(Form::jpeg, "image/tiff", png(8, 8)), Errc::corrupt);
}

}  // namespace
}  // namespace satchel::media
