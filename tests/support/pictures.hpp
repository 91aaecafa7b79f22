// Pictures for tests: made byte by byte, and read back by programs that are not ours.
#pragma once

#include "tests/support/temp_folder.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace satchel::test {

inline void write_file(const std::filesystem::path& path, std::string_view content) {
    std::ofstream(path, std::ios::binary) << content;
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Runs `command` with IN and OUT standing for the paths of `input` and of what it returns; OUT
// may be followed by an extension.
inline std::string through(const std::string& command,
                           std::string_view input,
                           const std::string& input_name = "in") {
    const TempFolder folder;
    write_file(folder / input_name, input);
    std::string line = command;
    line.replace(line.find("IN"), 2, (folder / input_name).string());
    line.replace(line.find("OUT"), 3, (folder / "out").string());
    EXPECT_EQ(std::system((line + " >/dev/null 2>&1").c_str()), 0) << command;
    for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
        if (file.path().stem() == "out") return read_file(file.path());
    }
    ADD_FAILURE() << command << " made nothing";
    return {};
}

inline std::string heic(std::string_view jpeg) {
    return through("heif-enc -q 90 -o OUT IN", jpeg, "in.jpg");
}

inline std::string little(std::uint64_t value, unsigned width) {
    std::string text;
    for (unsigned i = 0; i < width; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
}

inline std::string big(std::uint64_t value, unsigned width) {
    std::string text = little(value, width);
    return {text.rbegin(), text.rend()};
}

using Colour = std::vector<unsigned>;
using Painter = std::function<Colour(unsigned x, unsigned y)>;

struct TiffPage {
    unsigned width = 32;
    unsigned height = 16;
    unsigned bits = 8;         // A channel: 8 or 16.
    unsigned photometric = 2;  // 1: grey, 2: RGB, 5: CMYK.
    Painter paint;
    unsigned orientation = 1;
    std::map<unsigned, std::string> texts;  // Tag to content: ASCII, or UNDEFINED for ICC.
    unsigned strip_offset_lie = 0;          // Instead of the offset, if not 0.
    unsigned strip_bytes_lie = 0;
    std::map<unsigned, unsigned> longs;  // Further tags, or instead of those of the picture.
};

// An uncompressed TIFF, little-endian, one strip a page.
inline std::string tiff(const std::vector<TiffPage>& pages) {
    std::string file = "II*" + little(0, 1) + little(8, 4);
    for (std::size_t n = 0; n < pages.size(); ++n) {
        const TiffPage& page = pages[n];
        const unsigned samples = page.photometric == 1 ? 1 : page.photometric == 5 ? 4 : 3;
        std::string strip;
        if (page.paint) {
            for (unsigned y = 0; y < page.height; ++y) {
                for (unsigned x = 0; x < page.width; ++x) {
                    for (const unsigned value : page.paint(x, y)) {
                        strip += little(value, page.bits / 8);
                    }
                }
            }
        }
        std::map<unsigned, unsigned> longs{
            {256, page.width},       {257, page.height}, {259, 1},          {262, page.photometric},
            {274, page.orientation}, {277, samples},     {278, page.height}};
        for (const auto& [tag, value] : page.longs) longs[tag] = value;
        const std::size_t entries = longs.size() + page.texts.size() + 3;
        std::size_t next_free = file.size() + 2 + entries * 12 + 4;
        std::map<unsigned, std::string> directory;
        std::string values;
        const auto place = [&](const std::string& value) {
            const auto at = static_cast<unsigned>(next_free + values.size());
            values += value + std::string(value.size() % 2, '\0');
            return little(at, 4);
        };
        for (const auto& [tag, value] : longs) {
            const bool is_short = tag != 256 && tag != 257 && tag != 278 && value < 65'536;
            directory[tag] =
                little(tag, 2) + little(is_short ? 3 : 4, 2) + little(1, 4) + little(value, 4);
        }
        std::string depths;
        for (unsigned i = 0; i < samples; ++i) depths += little(page.bits, 2);
        directory[258] = little(258, 2) + little(3, 2) + little(samples, 4) +
                         (samples == 1 ? depths + little(0, 2) : place(depths));
        for (const auto& [tag, text] : page.texts) {
            const std::string padded = text.size() > 4 ? text : text + std::string(5, ' ');
            directory[tag] = little(tag, 2) + little(tag == 34675 ? 7 : 2, 2) +
                             little(padded.size(), 4) + place(padded);
        }
        const std::string at = place(strip);
        directory[273] = little(273, 2) + little(4, 2) + little(1, 4) +
                         (page.strip_offset_lie != 0 ? little(page.strip_offset_lie, 4) : at);
        directory[279] = little(279, 2) + little(4, 2) + little(1, 4) +
                         little(page.strip_bytes_lie != 0 ? page.strip_bytes_lie : strip.size(), 4);
        file += little(directory.size(), 2);
        for (const auto& [tag, entry] : directory) file += entry;
        const std::size_t end = file.size() + 4 + values.size();
        file += little(n + 1 < pages.size() ? end : 0, 4) + values;
    }
    return file;
}

struct Pixels {
    unsigned width = 0;
    unsigned height = 0;
    unsigned channels = 0;
    std::string bytes;

    Colour at(unsigned x, unsigned y) const {
        Colour colour;
        for (unsigned c = 0; c < channels; ++c) {
            colour.push_back(static_cast<unsigned char>(bytes.at((y * width + x) * channels + c)));
        }
        return colour;
    }
};

// By djpeg. Fails the test if `jpeg` is none, or of other colours than grey and RGB.
inline Pixels decoded(std::string_view jpeg) {
    const std::string pnm = through("djpeg -strict -pnm -outfile OUT IN", jpeg);
    Pixels pixels;
    char kind[3] = {};
    unsigned depth = 0;
    int head = 0;
    const int got = std::sscanf(pnm.c_str(), "%2s %u %u %u%n", kind, &pixels.width, &pixels.height,
                                &depth, &head);
    pixels.channels = kind[1] == '5' ? 1 : 3;
    if (got != 4 || depth != 255) {
        ADD_FAILURE() << "not a JPEG that djpeg reads";
        return {};
    }
    pixels.bytes = pnm.substr(static_cast<std::size_t>(head) + 1);
    EXPECT_EQ(pixels.bytes.size(), pixels.width * pixels.height * pixels.channels);
    return pixels;
}

inline void expect_near(const Colour& got, const Colour& wanted, int tolerance = 12) {
    ASSERT_EQ(got.size(), wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_NEAR(static_cast<int>(got[i]), static_cast<int>(wanted[i]), tolerance)
            << "channel " << i;
    }
}

}  // namespace satchel::test
