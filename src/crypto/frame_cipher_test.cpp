#include "crypto/frame_cipher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>

namespace satchel::crypto {
namespace {

struct Frame {
    Bytes text;
    std::array<std::byte, tag_bytes> tag{};
};

struct FrameCipherTest : testing::Test {
    const Key key = Key::random();
    FrameCipher cipher{key};

    Frame seal(std::uint64_t index, Last last, std::string_view text) {
        Frame frame{.text = Bytes(as_bytes(text).begin(), as_bytes(text).end()), .tag = {}};
        cipher.seal(index, last, frame.text, frame.tag);
        return frame;
    }

    // A fresh instance, as a reader has it.
    bool opens(std::uint64_t index, Last last, Frame frame) {
        FrameCipher reader(key);
        const auto result = reader.open(index, last, frame.text, frame.tag);
        if (result) return true;
        EXPECT_EQ(result.error().code, Errc::corrupt);
        EXPECT_TRUE(std::ranges::all_of(frame.text, [](std::byte b) { return b == std::byte{}; }));
        return false;
    }
};

TEST_F(FrameCipherTest, opens_to_what_was_sealed) {
    Frame frame = seal(7, Last::no, "some text");
    EXPECT_NE(as_text(frame.text), "some text");
    FrameCipher reader(key);
    ASSERT_TRUE(reader.open(7, Last::no, frame.text, frame.tag));
    EXPECT_EQ(as_text(frame.text), "some text");
}

TEST_F(FrameCipherTest, an_empty_frame_is_authentic_or_not) {
    const Frame frame = seal(0, Last::yes, "");
    EXPECT_TRUE(opens(0, Last::yes, frame));
    EXPECT_FALSE(opens(0, Last::no, frame));
}

// As seal_once() with the frame's nonce: frame 0 has the all-zero nonce and 9 bytes of data.
TEST(FrameCipher, known_answer_of_frame_zero) {
    const Key key = Key::random();
    Bytes text(100, std::byte{0x61});
    const Bytes expected = seal_once(key, Bytes(9), text);
    std::array<std::byte, tag_bytes> tag{};
    FrameCipher(key).seal(0, Last::no, text, tag);
    text.insert(text.end(), tag.begin(), tag.end());
    EXPECT_EQ(text, expected);
}

// Computed with another implementation: key 00 01 .. 1f, nonce 00000000 0807060504030201,
// additional data 080706050403020101.
TEST(FrameCipher, known_answer_fixes_nonce_and_additional_data) {
    Key key;
    for (std::size_t i = 0; i < key.bytes.size(); ++i) key.bytes[i] = static_cast<std::byte>(i);
    Bytes text(as_bytes("Satchel frame").begin(), as_bytes("Satchel frame").end());
    std::array<std::byte, tag_bytes> tag{};
    FrameCipher(key).seal(0x0102030405060708, Last::yes, text, tag);
    EXPECT_EQ(to_hex(text), "4f998b260a4aa46ef3019f5efb");
    EXPECT_EQ(to_hex(tag), "c095038294945f8eb40b797e0cd9da43");
}

TEST_F(FrameCipherTest, detects_every_flipped_bit_of_text_and_tag) {
    Frame frame = seal(3, Last::no, "the quick brown fox");
    for (std::size_t bit = 0; bit < (frame.text.size() + tag_bytes) * 8; ++bit) {
        const std::size_t at = bit / 8;
        std::byte& target =
            at < frame.text.size() ? frame.text[at] : frame.tag[at - frame.text.size()];
        const std::byte mask{static_cast<unsigned char>(1U << (bit % 8))};
        target ^= mask;
        EXPECT_FALSE(opens(3, Last::no, frame)) << "bit " << bit;
        target ^= mask;
    }
    EXPECT_TRUE(opens(3, Last::no, frame));
}

TEST_F(FrameCipherTest, detects_frames_out_of_order) {
    const Frame first = seal(0, Last::no, "first");
    const Frame second = seal(1, Last::no, "other");
    EXPECT_FALSE(opens(0, Last::no, second));
    EXPECT_FALSE(opens(1, Last::no, first));
    // Every bit of the index counts.
    for (unsigned bit = 0; bit < 64; ++bit) {
        EXPECT_FALSE(opens(std::uint64_t{1} << bit, Last::no, first));
    }
}

TEST_F(FrameCipherTest, detects_a_cut_and_a_continued_string) {
    EXPECT_FALSE(opens(0, Last::yes, seal(0, Last::no, "to be continued")));
    EXPECT_FALSE(opens(1, Last::no, seal(1, Last::yes, "the end")));
}

TEST_F(FrameCipherTest, detects_the_key_of_another_string) {
    Frame frame = seal(0, Last::yes, "text");
    FrameCipher other(Key::random());
    EXPECT_FALSE(other.open(0, Last::yes, frame.text, frame.tag));
}

TEST_F(FrameCipherTest, goes_on_after_a_frame_that_failed) {
    Frame bad = seal(0, Last::no, "bad");
    bad.tag[0] ^= std::byte{1};
    Frame good = seal(1, Last::yes, "good");
    FrameCipher reader(key);
    EXPECT_FALSE(reader.open(0, Last::no, bad.text, bad.tag));
    ASSERT_TRUE(reader.open(1, Last::yes, good.text, good.tag));
    EXPECT_EQ(as_text(good.text), "good");
}

TEST_F(FrameCipherTest, survives_being_moved) {
    FrameCipher moved = std::move(cipher);
    Frame frame{.text = Bytes(70'000, std::byte{1}), .tag = {}};
    moved.seal(9, Last::yes, frame.text, frame.tag);
    EXPECT_TRUE(opens(9, Last::yes, frame));
}

}  // namespace
}  // namespace satchel::crypto
