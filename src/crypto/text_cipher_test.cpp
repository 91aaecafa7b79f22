#include "crypto/text_cipher.hpp"

#include "base/uuid.hpp"
#include "model/ids.hpp"

#include <gtest/gtest.h>

namespace satchel::crypto {
namespace {

struct TextCipherTest : testing::Test {
    static Key key(unsigned char fill) {
        Key out;
        out.bytes.fill(std::byte{fill});
        return out;
    }
    TextCipher cipher{key(0x11)};
    MessageId id = *MessageId::parse("550e8400-e29b-41d4-a716-446655440000");
    MessageId other = *MessageId::parse("650e8400-e29b-41d4-a716-446655440000");
};

TEST_F(TextCipherTest, a_text_comes_back_and_is_not_to_be_seen_meanwhile) {
    const Bytes sealed = cipher.seal("message parts", id.bytes(), "see you at nine");
    EXPECT_EQ(as_text(sealed).find("nine"), std::string_view::npos);
    EXPECT_EQ(*cipher.open("message parts", id.bytes(), sealed), "see you at nine");
    EXPECT_EQ(*cipher.open("x", id.bytes(), cipher.seal("x", id.bytes(), "")), "");
}

TEST_F(TextCipherTest, the_same_text_never_looks_the_same_twice) {
    EXPECT_NE(cipher.seal("x", id.bytes(), "hello"), cipher.seal("x", id.bytes(), "hello"));
}

TEST_F(TextCipherTest, it_opens_only_as_what_it_was_for_whom_it_was) {
    const Bytes sealed = cipher.seal("x", id.bytes(), "hello");
    EXPECT_EQ(cipher.open("y", id.bytes(), sealed).error().code, Errc::corrupt);
    EXPECT_EQ(cipher.open("x", other.bytes(), sealed).error().code, Errc::corrupt);
    EXPECT_EQ(TextCipher(key(0x12)).open("x", id.bytes(), sealed).error().code, Errc::corrupt);
}

TEST_F(TextCipherTest, every_flipped_bit_and_every_cut_is_noticed) {
    const Bytes sealed = cipher.seal("x", id.bytes(), "hello");
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        Bytes changed = sealed;
        changed[bit / 8] ^= std::byte{1} << (bit % 8);
        EXPECT_FALSE(cipher.open("x", id.bytes(), changed)) << bit;
    }
    for (std::size_t size = 0; size < sealed.size(); ++size) {
        EXPECT_FALSE(cipher.open("x", id.bytes(), ByteView(sealed).first(size))) << size;
    }
}

TEST_F(TextCipherTest, texts_of_the_first_release_open) {
    const auto sealed =
        from_hex("000102030405060708090a0b0c0d0e0f11ca388d1ad72397e938a768278d132d5840f9ca08");
    EXPECT_EQ(*cipher.open("message parts", id.bytes(), *sealed), "hello");
}

}  // namespace
}  // namespace satchel::crypto
