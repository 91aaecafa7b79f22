// What satchel-media makes of pictures. Results are read by djpeg; sources come from this file,
// from libtiff's tools and from heif-enc.
#include "tests/support/jailed.hpp"
#include "tests/support/pictures.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace satchel::media {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using test::big;
using test::Colour;
using test::Pixels;
using test::TiffPage;

const Colour red{220, 30, 30};
const Colour green{30, 200, 40};
const Colour blue{30, 40, 210};
const Colour yellow{230, 220, 30};

// Top left red, top right green, bottom left blue, bottom right yellow, in 32 x 16 pixels.
Colour quarters(unsigned x, unsigned y) {
    if (y < 8) return x < 16 ? red : green;
    return x < 16 ? blue : yellow;
}

class ImageFormsTest : public testing::Test {
protected:
    std::string made(Form form, std::string_view type, std::string_view bytes, unsigned width = 0) {
        const Result<Product> product = jailed_.convert(form, type, bytes, width);
        if (!product) {
            ADD_FAILURE() << "no product: " << product.error().detail;
            return {};
        }
        return test::content_of(*product);
    }
    Pixels jpeg_of(std::string_view tiff) {
        return test::decoded(made(Form::jpeg, "image/tiff", tiff));
    }

    test::Jailed jailed_{"satchel-media"};
};

void expect_quarters(const Pixels& pixels) {
    ASSERT_EQ(pixels.width, 32U);
    ASSERT_EQ(pixels.height, 16U);
    test::expect_near(pixels.at(4, 3), red);
    test::expect_near(pixels.at(27, 3), green);
    test::expect_near(pixels.at(4, 12), blue);
    test::expect_near(pixels.at(27, 12), yellow);
}

TEST_F(ImageFormsTest, a_tiff_becomes_a_jpeg_of_the_same_colours) {
    const Result<Product> product =
        jailed_.convert(Form::jpeg, "image/tiff", test::tiff({{.paint = quarters}}));
    ASSERT_TRUE(product) << product.error().detail;
    EXPECT_EQ(product->content_type, "image/jpeg");
    EXPECT_EQ(product->width, 32U);
    EXPECT_EQ(product->height, 16U);
    expect_quarters(test::decoded(test::content_of(*product)));
}

TEST_F(ImageFormsTest, sixteen_bits_a_channel_become_eight) {
    const auto paint = [](unsigned x, unsigned y) {
        Colour colour = quarters(x, y);
        for (unsigned& value : colour) value *= 257;
        return colour;
    };
    expect_quarters(jpeg_of(test::tiff({{.bits = 16, .paint = paint}})));
    const auto grey = [](unsigned x, unsigned) { return Colour{x < 16 ? 50U * 257 : 200U * 257}; };
    const Pixels pixels = jpeg_of(test::tiff({{.bits = 16, .photometric = 1, .paint = grey}}));
    ASSERT_EQ(pixels.channels, 1U);
    test::expect_near(pixels.at(4, 4), {50});
    test::expect_near(pixels.at(28, 4), {200});
}

TEST_F(ImageFormsTest, cmyk_becomes_rgb_that_looks_alike) {
    const auto paint = [](unsigned x, unsigned y) -> Colour {
        if (y < 8) return x < 16 ? Colour{0, 0, 0, 0} : Colour{0, 0, 0, 255};
        return x < 16 ? Colour{255, 0, 0, 0} : Colour{0, 255, 255, 0};
    };
    const std::string file = test::tiff({{.photometric = 5, .paint = paint}});
    for (const Pixels& pixels :
         {jpeg_of(file), test::decoded(made(Form::preview, "image/tiff", file, 32))}) {
        ASSERT_EQ(pixels.channels, 3U);
        test::expect_near(pixels.at(4, 3), {255, 255, 255});
        test::expect_near(pixels.at(27, 3), {40, 40, 40}, 40);
        EXPECT_LT(pixels.at(4, 12)[0], 90U) << "cyan has little red";
        EXPECT_GT(pixels.at(4, 12)[2], 180U);
        EXPECT_GT(pixels.at(27, 12)[0], 180U) << "magenta and yellow are red";
        EXPECT_LT(pixels.at(27, 12)[2], 90U);
    }
}

// The ICC profile that stands in `file`, by its signature and length.
std::string profile_in(const std::string& file) {
    const std::size_t signature = file.find("acsp");
    if (signature == std::string::npos || signature < 36) return {};
    std::size_t length = 0;
    for (const char c : file.substr(signature - 36, 4)) {
        length = length << 8 | static_cast<unsigned char>(c);
    }
    return file.substr(signature - 36, length);
}

// The quarters in Display P3.
std::string wide_tiff() {
    return test::through("vips icc_transform IN OUT.tif p3 --input-profile srgb",
                         test::tiff({{.paint = quarters}}));
}

TEST_F(ImageFormsTest, the_colour_profile_is_kept) {
    const std::string wide = wide_tiff();
    const std::string profile = profile_in(wide);
    ASSERT_GT(profile.size(), 100U);
    const std::string jpeg = made(Form::jpeg, "image/tiff", wide);
    EXPECT_NE(jpeg.find("ICC_PROFILE\0\x01\x01"s + profile), std::string::npos);
}

TEST_F(ImageFormsTest, a_preview_is_srgb_whatever_the_profile_of_its_source) {
    const std::string jpeg = made(Form::preview, "image/tiff", wide_tiff(), 32);
    EXPECT_EQ(profile_in(jpeg), "");
    expect_quarters(test::decoded(jpeg));
}

TEST_F(ImageFormsTest, every_orientation_ends_upright) {
    // Which colour is to be seen in the upper corners, and whether the sides are swapped.
    struct Row {
        unsigned orientation;
        bool swapped;
        Colour top_left;
        Colour top_right;
    };
    for (const Row& row : std::vector<Row>{{1, false, red, green},
                                           {2, false, green, red},
                                           {3, false, yellow, blue},
                                           {4, false, blue, yellow},
                                           {5, true, red, blue},
                                           {6, true, blue, red},
                                           {7, true, yellow, green},
                                           {8, true, green, yellow}}) {
        SCOPED_TRACE(row.orientation);
        const Pixels pixels =
            jpeg_of(test::tiff({{.paint = quarters, .orientation = row.orientation}}));
        ASSERT_EQ(pixels.width, row.swapped ? 16U : 32U);
        ASSERT_EQ(pixels.height, row.swapped ? 32U : 16U);
        test::expect_near(pixels.at(3, 3), row.top_left);
        test::expect_near(pixels.at(pixels.width - 4, 3), row.top_right);
    }
}

TEST_F(ImageFormsTest, of_many_pages_the_first_is_taken) {
    const auto other = [](unsigned, unsigned) { return blue; };
    expect_quarters(jpeg_of(test::tiff(
        {{.paint = quarters}, {.width = 100, .height = 100, .paint = other}, {.paint = other}})));
}

TEST_F(ImageFormsTest, compressed_and_tiled_tiffs_are_read) {
    const std::string plain = test::tiff({{.paint = quarters}});
    for (const std::string command :
         {"tiffcp -c lzw IN OUT", "tiffcp -c zip IN OUT", "tiffcp -c packbits IN OUT",
          "tiffcp -c jpeg:r:95 IN OUT", "tiffcp -t -w 16 -l 16 -c lzw IN OUT",
          "tiffcp -B -c lzw:2 IN OUT", "tiffcp -p separate IN OUT"}) {
        SCOPED_TRACE(command);
        expect_quarters(jpeg_of(test::through(command, plain)));
    }
}

TEST_F(ImageFormsTest, transparency_becomes_white) {
    // Red, green, blue and alpha: as CMYK is laid out, under another name.
    const auto half = [](unsigned x, unsigned) { return Colour{220, 30, 30, x < 16 ? 255U : 0U}; };
    const Pixels pixels = jpeg_of(
        test::tiff({{.photometric = 5, .paint = half, .longs = {{262, 2}, {277, 4}, {338, 2}}}}));
    test::expect_near(pixels.at(4, 4), red);
    test::expect_near(pixels.at(28, 4), {255, 255, 255});
}

TEST_F(ImageFormsTest, a_heic_becomes_a_jpeg) {
    const auto paint = [](unsigned x, unsigned y) { return quarters(x / 4, y / 4); };
    const std::string jpeg =
        made(Form::jpeg, "image/tiff", test::tiff({{.width = 128, .height = 64, .paint = paint}}));
    const Pixels pixels = test::decoded(made(Form::jpeg, "image/heic", test::heic(jpeg)));
    ASSERT_EQ(pixels.width, 128U);
    ASSERT_EQ(pixels.height, 64U);
    test::expect_near(pixels.at(16, 12), red, 20);
    test::expect_near(pixels.at(108, 12), green, 20);
    test::expect_near(pixels.at(16, 48), blue, 20);
}

TEST_F(ImageFormsTest, a_preview_is_no_wider_than_asked_and_upright) {
    const auto paint = [](unsigned x, unsigned y) { return quarters(x / 20, y / 20); };
    const std::string turned =
        test::tiff({{.width = 640, .height = 320, .paint = paint, .orientation = 6}});
    const Result<Product> small = jailed_.convert(Form::preview, "image/tiff", turned, 80);
    ASSERT_TRUE(small) << small.error().detail;
    EXPECT_EQ(small->width, 80U);
    EXPECT_EQ(small->height, 160U);
    const Pixels pixels = test::decoded(test::content_of(*small));
    test::expect_near(pixels.at(10, 10), blue);
    test::expect_near(pixels.at(70, 10), red);
    const Result<Product> same = jailed_.convert(Form::preview, "image/tiff", turned, 2000);
    ASSERT_TRUE(same) << same.error().detail;
    EXPECT_EQ(same->width, 320U) << "never larger than it is";
}

TEST_F(ImageFormsTest, a_preview_of_each_picture_type_is_made) {
    const auto paint = [](unsigned x, unsigned y) { return quarters(x / 4, y / 4); };
    const std::string tiff = test::tiff({{.width = 128, .height = 64, .paint = paint}});
    const std::string jpeg = made(Form::jpeg, "image/tiff", tiff);
    const std::vector<std::pair<std::string, std::string>> files{
        {"image/jpeg", jpeg},
        {"image/png", test::through("vips pngsave IN OUT.png", tiff)},
        {"image/png", test::through("vips pngsave IN OUT.png --interlace", tiff)},
        {"image/gif", test::through("vips gifsave IN OUT", tiff)},
        {"image/webp", test::through("vips webpsave IN OUT --lossless", tiff)},
        {"image/heic", test::heic(jpeg)},
        {"image/jpeg", test::through("vips jpegsave IN OUT --interlace", tiff)},
    };
    for (const auto& [type, bytes] : files) {
        SCOPED_TRACE(type);
        const Pixels pixels = test::decoded(made(Form::preview, type, bytes, 32));
        ASSERT_EQ(pixels.width, 32U);
        ASSERT_EQ(pixels.height, 16U);
        test::expect_near(pixels.at(4, 3), red, 25);
        test::expect_near(pixels.at(27, 12), yellow, 25);
    }
}

// Two pages of 200 x 200 points with the same content, which may use the font /F1.
std::string pdf_of(const std::string& content, const std::string& font = "Helvetica") {
    return "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
           "2 0 obj<</Type/Pages/Kids[3 0 R 3 0 R]/Count 2>>endobj\n"
           "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R"
           "/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
           "4 0 obj<</Length " +
           std::to_string(content.size()) + ">>stream\n" + content +
           "\nendstream endobj\n"
           "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/" +
           font + ">>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
}

TEST_F(ImageFormsTest, a_preview_of_a_pdf_shows_its_first_page) {
    const std::string pdf = pdf_of("1 0 0 rg 0 0 100 200 re f 0 0 1 rg 100 0 100 200 re f");
    const Pixels pixels = test::decoded(made(Form::preview, "application/pdf", pdf, 100));
    ASSERT_EQ(pixels.width, 100U);
    ASSERT_EQ(pixels.height, 100U);
    test::expect_near(pixels.at(20, 50), {255, 0, 0});
    test::expect_near(pixels.at(80, 50), {0, 0, 255});
}

TEST_F(ImageFormsTest, text_in_fonts_that_a_pdf_does_not_contain_is_shown) {
    const auto ink = [this](const std::string& content, const std::string& font) {
        const std::string pdf = pdf_of(content, font);
        const Pixels pixels = test::decoded(made(Form::preview, "application/pdf", pdf, 200));
        unsigned dark = 0;
        for (unsigned y = 0; y < pixels.height; ++y) {
            for (unsigned x = 0; x < pixels.width; ++x) dark += pixels.at(x, y)[0] < 128 ? 1 : 0;
        }
        return dark;
    };
    for (const char* font : {"Helvetica", "Helvetica-BoldOblique", "Times-Roman", "Times-Italic",
                             "Courier", "Courier-Bold", "ArialMT", "NobodyHasThisFont"}) {
        EXPECT_GT(ink("BT /F1 60 Tf 10 80 Td (HEM) Tj ET", font), 500U) << font;
    }
    EXPECT_EQ(ink("BT /F1 60 Tf 10 80 Td ( ) Tj ET", "Helvetica"), 0U);
}

}  // namespace
}  // namespace satchel::media
