#include "media/movie_facts.hpp"

#include "base/bytes.hpp"
#include "media/memory_file.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace satchel::media {
namespace {

std::string number(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
}

std::string box(const std::string& name, std::initializer_list<std::string> contents) {
    std::string content;
    for (const std::string& part : contents) content += part;
    return number(content.size() + 8, 4) + name + content;
}

std::string zeros(std::size_t count) {
    return std::string(count, '\0');
}

// Version 0: two dates, time scale, length.
std::string lasting(const std::string& name, std::uint32_t scale, std::uint32_t length) {
    return box(name, {zeros(12), number(scale, 4), number(length, 4), zeros(80)});
}

std::string stream_description(const std::string& config) {
    const std::string specific = "\x05" + number(config.size(), 1) + config;
    const std::string decoder =
        std::string("\x04\x80\x80\x80", 4) + number(13 + specific.size(), 1) + zeros(13) + specific;
    return box("esds", {zeros(4), "\x03", number(3 + decoder.size(), 1), zeros(3), decoder});
}

std::string sound_track(const std::string& config, const std::string& more = {}) {
    const std::string entry = box("mp4a", {zeros(28), stream_description(config)});
    const std::string table = box("stbl", {box("stsd", {zeros(4), number(1, 4), entry})});
    return box("trak",
               {box("tkhd", {zeros(84)}), more,
                box("mdia", {lasting("mdhd", 48'000, 72'000),
                             box("hdlr", {zeros(8), "soun", zeros(12)}), box("minf", {table})})});
}

const std::string mono = "\x11\x88";                              // AAC LC, 48 kHz, one channel.
const std::string stereo_at_any_rate("\x17\x80\x5d\xc0\x10", 5);  // The rate is spelled out.

std::string movie(const std::string& track, const std::string& more = {}) {
    return box("ftyp", {"M4A ", zeros(4)}) +
           box("moov", {lasting("mvhd", 1000, 1500), track, more}) + box("mdat", {"sound"});
}

Result<MovieFacts> facts_of(const std::string& bytes) {
    auto file = sealed_memory_file("movie", as_bytes(bytes));
    EXPECT_TRUE(file);
    return read_movie_facts(*file);
}

TEST(MovieFactsTest, a_voice_memo_is_read) {
    const auto facts = facts_of(movie(sound_track(mono)));
    ASSERT_TRUE(facts) << facts.error().detail;
    EXPECT_EQ(facts->brand, "M4A ");
    EXPECT_EQ(facts->duration, std::chrono::milliseconds(1500));
    EXPECT_TRUE(facts->has_media);
    EXPECT_FALSE(facts->has_metadata);
    ASSERT_EQ(facts->tracks.size(), 1U);
    EXPECT_EQ(facts->tracks[0].kind, "soun");
    EXPECT_EQ(facts->tracks[0].codec, "mp4a");
    EXPECT_EQ(facts->tracks[0].channels, 1U);
    EXPECT_EQ(facts->tracks[0].duration, std::chrono::milliseconds(1500));
}

TEST(MovieFactsTest, channels_are_found_behind_a_rate_that_is_spelled_out) {
    const auto facts = facts_of(movie(sound_track(stereo_at_any_rate)));
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->tracks[0].channels, 2U);
}

TEST(MovieFactsTest, metadata_is_found_wherever_it_is) {
    const std::string title = box("udta", {box("\xa9nam", {"secret"})});
    const std::string tagged =
        box("meta", {zeros(4), box("hdlr", {zeros(20)}), box("ilst", {box("\xa9nam", {"x"})})});
    EXPECT_TRUE(facts_of(movie(sound_track(mono), title))->has_metadata);
    EXPECT_TRUE(facts_of(movie(sound_track(mono, title)))->has_metadata);
    EXPECT_TRUE(facts_of(movie(sound_track(mono), box("udta", {tagged})))->has_metadata);
    EXPECT_TRUE(facts_of(movie(sound_track(mono), box("uuid", {zeros(16), "x"})))->has_metadata);
    EXPECT_TRUE(facts_of(movie(sound_track(mono)) + title)->has_metadata);
}

TEST(MovieFactsTest, an_empty_box_for_metadata_is_none) {
    const std::string empty =
        box("udta", {box("meta", {zeros(4), box("hdlr", {zeros(20)}), box("ilst", {})})});
    EXPECT_FALSE(facts_of(movie(sound_track(mono), empty))->has_metadata);
}

TEST(MovieFactsTest, what_begins_otherwise_or_is_cut_off_is_corrupt) {
    const std::string whole = movie(sound_track(mono));
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto facts = facts_of(whole.substr(0, length));
        if (!facts) {
            EXPECT_EQ(facts.error().code, Errc::corrupt);
        } else {
            // Cut between two boxes, after the track was described.
            EXPECT_FALSE(facts->has_media) << length;
        }
    }
    EXPECT_FALSE(facts_of("this is something else, of some length"));
}

TEST(MovieFactsTest, no_changed_byte_makes_it_read_beyond_the_end) {
    const std::string whole = movie(sound_track(mono));
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const char value : {'\x00', '\x01', '\x7f', '\xff'}) {
            std::string changed = whole;
            changed[at] = value;
            const auto facts = facts_of(changed);
            if (!facts) EXPECT_EQ(facts.error().code, Errc::corrupt);
        }
    }
}

TEST(MovieFactsTest, a_length_that_runs_over_is_corrupt) {
    const std::string huge = number(1, 4) + "moov" + number(0xffff'ffff'ffff'fff0, 8) + zeros(100);
    EXPECT_FALSE(facts_of(box("ftyp", {"M4A "}) + huge));
}

Result<PictureSize> size_of_jpeg(const std::string& bytes) {
    auto file = sealed_memory_file("picture", as_bytes(bytes));
    EXPECT_TRUE(file);
    return read_jpeg_size(*file);
}

TEST(JpegSizeTest, the_frame_header_is_found_behind_other_segments) {
    const std::string jpeg = std::string("\xff\xd8", 2) + "\xff\xe0" + number(10, 2) + zeros(8) +
                             "\xff\xc0" + number(11, 2) + "\x08" + number(240, 2) + number(320, 2) +
                             zeros(4);
    const auto size = size_of_jpeg(jpeg);
    ASSERT_TRUE(size);
    EXPECT_EQ(size->width, 320U);
    EXPECT_EQ(size->height, 240U);
    for (std::size_t length = 0; length < jpeg.size() - 6; ++length) {
        EXPECT_FALSE(size_of_jpeg(jpeg.substr(0, length))) << length;
    }
}

}  // namespace
}  // namespace satchel::media
