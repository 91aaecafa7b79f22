#include "media_child/strip.hpp"

#include "media_child/exif.hpp"
#include "tests/support/pictures.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace satchel::media {
namespace {

using namespace std::string_literals;
using test::big;
using test::Colour;
using test::little;

constexpr std::string_view secret = "47.3769N 8.5417E, by Ada";

std::string joined(const std::optional<Pieces>& pieces) {
    std::string file;
    if (!pieces) return file;
    for (const auto& piece : pieces->all()) file += as_text(piece.view());
    return file;
}

std::string edited(bool (*strip)(std::span<std::byte>), std::string file) {
    const bool done = strip(std::as_writable_bytes(std::span(file)));
    return done ? file : std::string();
}

std::string stripped_jpeg(const std::string& file) {
    return joined(strip_jpeg(as_bytes(file)));
}
std::string stripped_png(const std::string& file) {
    return joined(strip_png(as_bytes(file)));
}
std::string stripped_tiff(const std::string& file) {
    return edited(strip_tiff, file);
}
std::string stripped_heif(const std::string& file) {
    return edited(strip_heif, file);
}

// An EXIF block with an orientation and the secret as its GPS and author.
std::string exif(unsigned orientation) {
    const std::string text(secret);
    return "MM\0*"s + big(8, 4) + big(3, 2) +                                          //
           big(0x0112, 2) + big(3, 2) + big(1, 4) + big(orientation, 2) + big(0, 2) +  //
           big(0x013b, 2) + big(2, 2) + big(text.size(), 4) + big(50, 4) +             //
           big(0x8825, 2) + big(4, 2) + big(1, 4) + big(50, 4) + big(0, 4) + text;
}

std::string segment(unsigned marker, const std::string& content) {
    return "\xff"s + static_cast<char>(marker) + big(content.size() + 2, 2) + content;
}

std::string plain_jpeg() {
    const auto paint = [](unsigned x, unsigned y) -> Colour { return {x * 8, y * 16, 128}; };
    return test::through("vips jpegsave IN OUT.jpg --strip", test::tiff({{.paint = paint}}));
}

std::string jpeg_with_secrets(unsigned orientation) {
    const std::string plain = plain_jpeg();
    const std::string text(secret);
    return plain.substr(0, 2) + segment(0xe1, "Exif\0\0"s + exif(orientation)) +
           segment(0xe1, "http://ns.adobe.com/xap/1.0/\0"s + text) +
           segment(0xe2, "ICC_PROFILE\0\x01\x01profile"s) + segment(0xe2, "MPF\0"s + text) +
           segment(0xed, "Photoshop 3.0\0"s + text) + segment(0xfe, text) + plain.substr(2) +
           plain + text;
}

TEST(StripTest, a_jpeg_loses_all_but_orientation_and_colour) {
    const std::string stripped = stripped_jpeg(jpeg_with_secrets(6));
    ASSERT_FALSE(stripped.empty());
    EXPECT_EQ(stripped.find("Ada"), std::string::npos);
    EXPECT_NE(stripped.find("ICC_PROFILE\0\x01\x01profile"s), std::string::npos);
    const std::size_t at = stripped.find("Exif\0\0"s);
    ASSERT_NE(at, std::string::npos);
    EXPECT_EQ(exif_orientation(as_bytes(std::string_view(stripped).substr(at + 6))), 6);
    EXPECT_EQ(test::decoded(stripped).bytes, test::decoded(plain_jpeg()).bytes);
}

TEST(StripTest, a_jpeg_that_stands_upright_needs_no_exif) {
    EXPECT_EQ(stripped_jpeg(jpeg_with_secrets(1)).find("Exif"), std::string::npos);
}

TEST(StripTest, a_progressive_jpeg_keeps_all_its_scans) {
    const std::string progressive =
        test::through("vips jpegsave IN OUT.jpg --interlace --strip", plain_jpeg());
    const std::string stripped = stripped_jpeg(progressive);
    EXPECT_EQ(test::decoded(stripped).bytes, test::decoded(progressive).bytes);
}

TEST(StripTest, a_segment_between_scans_leaves_nothing_behind_that_was_before_it) {
    const std::string scan = segment(0xda, "\x01\x01\0\0\x3f\0"s) + "data";
    const std::string text(secret);
    const std::string file = "\xff\xd8"s + segment(0xdb, "table") + scan + "\xff\xff\xff"s +
                             segment(0xe1, text).substr(1) + "\x1b more" + scan + "\xff\xd9";
    const std::string stripped = stripped_jpeg(file);
    EXPECT_EQ(stripped,
              "\xff\xd8"s + segment(0xdb, "table") + scan + "\x1b more" + scan + "\xff\xd9");
    EXPECT_EQ(stripped_jpeg(stripped), stripped);
}

std::string chunk(const std::string& type, const std::string& content) {
    return big(content.size(), 4) + type + content + "crc!";
}

std::string png_with_secrets() {
    const std::string text(secret);
    return "\x89PNG\r\n\x1a\n"s + chunk("IHDR", std::string(13, 'h')) + chunk("tEXt", text) +
           chunk("iCCP", "profile") + chunk("eXIf", exif(8)) + chunk("iTXt", text) +
           chunk("IDAT", "pixels") + chunk("tIME", text) + chunk("IEND", "") + text;
}

TEST(StripTest, a_png_loses_all_but_orientation_and_colour) {
    const std::string stripped = stripped_png(png_with_secrets());
    EXPECT_EQ(stripped.find("Ada"), std::string::npos);
    for (const char* kept : {"IHDR", "iCCP", "profile", "IDAT", "pixels", "IEND"}) {
        EXPECT_NE(stripped.find(kept), std::string::npos) << kept;
    }
    const std::size_t at = stripped.find("eXIf");
    ASSERT_NE(at, std::string::npos);
    EXPECT_EQ(exif_orientation(as_bytes(std::string_view(stripped).substr(at + 4))), 8);
}

TEST(StripTest, a_turned_png_is_still_one) {
    const std::string plain = test::through("vips pngsave IN OUT.png --strip", plain_jpeg());
    // Behind the signature and IHDR.
    const std::string with_exif = plain.substr(0, 33) + chunk("eXIf", exif(6)) + plain.substr(33);
    const std::string stripped = stripped_png(with_exif);
    EXPECT_EQ(test::through("vips rawsave IN OUT.raw", stripped),
              test::through("vips rawsave IN OUT.raw", plain));
}

std::string tiff_with_secrets() {
    const auto paint = [](unsigned x, unsigned y) -> Colour { return {x * 8, y * 16, 128}; };
    const std::string text(secret);
    const test::TiffPage page{.paint = paint,
                              .orientation = 6,
                              .texts = {{270, text}, {315, text}, {700, text}, {34675, "profile"}}};
    return test::tiff({page, page});
}

TEST(StripTest, a_tiff_loses_all_but_orientation_and_colour) {
    const std::string file = tiff_with_secrets();
    const std::string stripped = stripped_tiff(file);
    ASSERT_EQ(stripped.size(), file.size());
    EXPECT_EQ(stripped.find("Ada"), std::string::npos);
    EXPECT_NE(stripped.find("profile"), std::string::npos);
    EXPECT_EQ(exif_orientation(as_bytes(stripped)), 6);
    for (const char* command : {"vips rawsave IN OUT.raw", "vips rawsave IN[page=1] OUT.raw"}) {
        EXPECT_EQ(test::through(command, stripped), test::through(command, file)) << command;
    }
}

TEST(StripTest, the_gps_directory_of_a_tiff_is_wiped) {
    std::string file = tiff_with_secrets();
    // A directory of one entry whose value is the secret, at the end of the file; the artist of
    // the first page becomes the pointer to it.
    const std::size_t artist = file.find(little(315, 2) + little(2, 2));
    ASSERT_NE(artist, std::string::npos);
    const std::size_t directory = file.size();
    file.replace(artist, 12,
                 little(34'853, 2) + little(4, 2) + little(1, 4) + little(directory, 4));
    file += little(1, 2) + little(2, 2) + little(2, 2) + little(secret.size(), 4) +
            little(directory + 18, 4) + little(0, 4) + std::string(secret);
    const std::string stripped = stripped_tiff(file);
    ASSERT_EQ(stripped.size(), file.size());
    EXPECT_EQ(stripped.substr(directory, 14), std::string(14, '\0'));
    EXPECT_EQ(stripped.substr(directory + 18), std::string(secret.size(), '\0'));
}

std::string heic_with_secrets() {
    const std::string text(secret);
    const std::string plain = plain_jpeg();
    return test::heic(
        plain.substr(0, 2) + segment(0xe1, "Exif\0\0"s + exif(1)) +
        segment(0xe1, "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>"s + text + "</x:xmpmeta>") +
        plain.substr(2));
}

TEST(StripTest, a_heic_loses_its_metadata_and_no_pixel) {
    const std::string file = heic_with_secrets();
    ASSERT_NE(file.find("Ada"), std::string::npos) << "heif-enc copies metadata";
    const std::string stripped = stripped_heif(file);
    ASSERT_EQ(stripped.size(), file.size());
    EXPECT_EQ(stripped.find("Ada"), std::string::npos);
    EXPECT_EQ(test::through("vips rawsave IN OUT.raw", stripped),
              test::through("vips rawsave IN OUT.raw", file));
}

// Without the limit this takes minutes: 2^30 directories, all of them beyond the end.
TEST(StripTest, a_tiff_that_lists_more_directories_than_it_has_bytes_is_refused) {
    std::string file = tiff_with_secrets();
    const std::size_t artist = file.find(little(315, 2) + little(2, 2));
    ASSERT_NE(artist, std::string::npos);
    file.replace(artist, 12,
                 little(330, 2) + little(4, 2) + little(0x3fff'ffff, 4) + little(file.size(), 4));
    EXPECT_EQ(stripped_tiff(file), "");
}

std::string box(const std::string& type, const std::string& content) {
    return big(content.size() + 8, 4) + type + content;
}

// An item with metadata, in `extents` extents that are all the same.
std::string heif_with_item(std::uint64_t items, std::uint64_t extents, const std::string& extent) {
    const std::string kind =
        box("infe", big(2, 1) + big(0, 3) + big(1, 2) + big(0, 2) + "Exif" + big(0, 1));
    std::string location =
        big(1, 1) + big(0, 3) + big(extent.empty() ? 0 : 0x4400, 2) + big(items, 2);
    for (std::uint64_t item = items; item > 0; --item) {
        location += big(item, 2) + big(0, 2) + big(0, 2) + big(extents, 2);
        for (std::uint64_t i = extent.empty() ? 0 : extents; i > 0; --i) location += extent;
    }
    return box("ftyp", "heic") + box("meta", big(0, 4) + box("iinf", big(0, 4) + big(1, 2) + kind) +
                                                 box("iloc", location));
}

TEST(StripTest, a_heif_with_more_extents_than_any_has_is_refused) {
    const std::string once = heif_with_item(1, 1, big(8, 4) + big(4, 4));
    EXPECT_EQ(stripped_heif(once).size(), once.size());
    EXPECT_EQ(stripped_heif(heif_with_item(60'000, 60'000, "")), "");
    // Each is the whole file.
    const std::string whole = heif_with_item(1, 1000, big(0, 4) + big(8000, 4));
    EXPECT_EQ(stripped_heif(whole), "");
}

// What hostile files may do at worst, seen by the sanitizers.
TEST(StripTest, damaged_files_are_never_read_beyond_their_ends) {
    using Stripper = std::string (*)(const std::string&);
    const auto small_heic = heic_with_secrets();
    for (const auto& [strip, file] :
         {std::pair<Stripper, std::string>{stripped_jpeg, jpeg_with_secrets(6)},
          {stripped_png, png_with_secrets()},
          {stripped_tiff, tiff_with_secrets()},
          {stripped_heif, small_heic}}) {
        const std::string whole = strip(file);
        EXPECT_FALSE(whole.empty());
        for (std::size_t length = 0; length < file.size(); length += 1 + length / 64) {
            EXPECT_LE(strip(file.substr(0, length)).size(), file.size() + 64);
        }
        for (std::size_t at = 0; at < file.size(); at += 1 + at / 128) {
            for (const char value : {'\0', '\x01', '\x7f', '\xff'}) {
                std::string damaged = file;
                damaged[at] = value;
                EXPECT_LE(strip(damaged).size(), file.size() + 64);
            }
        }
    }
}

}  // namespace
}  // namespace satchel::media
