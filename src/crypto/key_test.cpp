#include "crypto/key.hpp"

#include "crypto/digest.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace satchel::crypto {
namespace {

Key key_of(std::string_view hex) {
    Key key;
    const auto bytes = from_hex(hex);
    EXPECT_TRUE(bytes && bytes->size() == key.bytes.size());
    std::ranges::copy(*bytes, key.bytes.begin());
    return key;
}

TEST(Key, random_keys_differ) {
    EXPECT_NE(Key::random().bytes, Key::random().bytes);
}

TEST(Derive, is_hmac_over_label_zero_and_context) {
    const Key parent = Key::random();
    const std::string message = std::string("label") + '\0' + "context";
    EXPECT_EQ(derive(parent, "label", as_bytes("context")).bytes,
              hmac_sha256(parent.bytes, as_bytes(message)));
}

TEST(Derive, label_and_context_do_not_run_together) {
    const Key parent = Key::random();
    EXPECT_NE(derive(parent, "ab", as_bytes("c")).bytes, derive(parent, "a", as_bytes("bc")).bytes);
    EXPECT_NE(derive(parent, "a", {}).bytes, derive(parent, "b", {}).bytes);
    EXPECT_NE(derive(parent, "a", {}).bytes, derive(Key::random(), "a", {}).bytes);
}

// Test cases 13 and 14 of the GCM specification (McGrew and Viega): zero key, zero nonce.
TEST(SealOnce, known_answers) {
    const Key zero;
    EXPECT_EQ(to_hex(seal_once(zero, {}, {})), "530f8afbc74536b9a963b4f1c4cb738b");
    EXPECT_EQ(to_hex(seal_once(zero, {}, Bytes(16))),
              "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(SealOnce, opens_to_what_was_sealed) {
    const Key key = Key::random();
    for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 255U, 4096U}) {
        const Bytes text(size, std::byte{0x5A});
        const Bytes sealed = seal_once(key, as_bytes("aad"), text);
        EXPECT_EQ(sealed.size(), size + tag_bytes);
        const auto opened = open_once(key, as_bytes("aad"), sealed);
        ASSERT_TRUE(opened);
        EXPECT_EQ(*opened, text);
    }
}

TEST(OpenOnce, detects_every_flipped_bit) {
    const Key key = Key::random();
    Bytes sealed = seal_once(key, as_bytes("aad"), as_bytes("holiday.jpg"));
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        const std::byte mask{static_cast<unsigned char>(1U << (bit % 8))};
        sealed[bit / 8] ^= mask;
        const auto opened = open_once(key, as_bytes("aad"), sealed);
        ASSERT_FALSE(opened) << "bit " << bit;
        EXPECT_EQ(opened.error().code, Errc::corrupt);
        sealed[bit / 8] ^= mask;
    }
    EXPECT_TRUE(open_once(key, as_bytes("aad"), sealed));
}

TEST(OpenOnce, detects_another_key_other_data_and_cut_bytes) {
    const Key key = key_of("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    const Bytes sealed = seal_once(key, as_bytes("aad"), as_bytes("text"));
    EXPECT_FALSE(open_once(Key::random(), as_bytes("aad"), sealed));
    EXPECT_FALSE(open_once(key, as_bytes("aae"), sealed));
    EXPECT_FALSE(open_once(key, {}, sealed));
    for (std::size_t size = 0; size < sealed.size(); ++size) {
        EXPECT_FALSE(open_once(key, as_bytes("aad"), ByteView(sealed).first(size)));
    }
}

TEST(EqualConstantTime, compares_bytes_and_lengths) {
    EXPECT_TRUE(equal_constant_time({}, {}));
    EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
    EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
    EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
    EXPECT_FALSE(equal_constant_time({}, as_bytes("a")));
}

}  // namespace
}  // namespace satchel::crypto
