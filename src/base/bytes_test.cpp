#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <random>

namespace satchel {
namespace {

Bytes bytes_of(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

TEST(BytesTest, hex_is_written_in_lower_case_and_read_in_both) {
    EXPECT_EQ(to_hex(as_bytes(std::string_view("\x00\x7f\xff\xa0", 4))), "007fffa0");
    EXPECT_EQ(from_hex("007FffA0"), from_hex("007fffa0"));
    EXPECT_EQ(to_hex(*from_hex("007fffa0")), "007fffa0");
    EXPECT_EQ(from_hex(""), Bytes{});
}

TEST(BytesTest, text_that_is_not_hex_is_refused) {
    for (const std::string_view text : {"0", "0g", "g0", "0x", " 00", "00 ", "-1", "0\xff"}) {
        EXPECT_EQ(from_hex(text), std::nullopt) << text;
    }
}

// RFC 4648 section 10.
TEST(BytesTest, base64_gives_the_vectors_of_its_rfc) {
    const std::pair<std::string_view, std::string_view> vectors[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (const auto& [plain, encoded] : vectors) {
        EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
        EXPECT_EQ(from_base64(encoded), bytes_of(plain));
    }
}

TEST(BytesTest, base64url_has_no_padding_and_its_own_last_two_digits) {
    EXPECT_EQ(to_base64(as_bytes("\xfb\xff\xfe\xff")), "+//+/w==");
    EXPECT_EQ(to_base64url(as_bytes("\xfb\xff\xfe\xff")), "-__-_w");
}

TEST(BytesTest, base64_that_is_not_canonical_is_refused) {
    for (const std::string_view text :
         {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===",
          "Zh==",  // Bits behind the last byte.
          "Zm9=", "Zg==Zg==", "Zm9v\n", "Zm 9", "-__-", "Zm\xff\xff"}) {
        EXPECT_EQ(from_base64(text), std::nullopt) << text;
    }
}

TEST(BytesTest, any_bytes_survive_hex_and_base64) {
    std::mt19937 random(1);
    for (std::size_t size = 0; size < 70; ++size) {
        Bytes bytes(size);
        for (std::byte& b : bytes) b = static_cast<std::byte>(random());
        EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
        EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    }
}

TEST(BytesTest, integers_stand_little_endian) {
    std::string out;
    append_u32(out, 0x01020304U);
    append_u64(out, 0x1122334455667788ULL);
    EXPECT_EQ(to_hex(as_bytes(out)), "040302018877665544332211");
    EXPECT_EQ(read_u32(as_bytes(out).data()), 0x01020304U);
    EXPECT_EQ(read_u64(as_bytes(out).data() + 4), 0x1122334455667788ULL);
}

TEST(BytesTest, a_number_is_digits_only_and_fits_64_bits) {
    EXPECT_EQ(parse_u64("0"), 0U);
    EXPECT_EQ(parse_u64("00012"), 12U);
    EXPECT_EQ(parse_u64("18446744073709551615"), 18446744073709551615U);
    for (const std::string_view text :
         {"", "-0", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "18446744073709551616"}) {
        EXPECT_EQ(parse_u64(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace satchel
