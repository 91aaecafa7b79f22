#include "crypto/digest.hpp"

#include "crypto/crc32c.hpp"

#include <gtest/gtest.h>

#include <string>

namespace satchel::crypto {
namespace {

std::string digest_of(DigestKind kind, std::string_view text) {
    Digest digest(kind);
    digest.update(as_bytes(text));
    return to_hex(digest.finish());
}

// 0, 1, 2, ... without a short period.
Bytes pattern(std::size_t size) {
    Bytes out;
    std::uint32_t state = 1;
    while (out.size() < size) {
        state = state * 1664525 + 1013904223;
        out.push_back(static_cast<std::byte>(state >> 24));
    }
    return out;
}

TEST(Digest, known_answers) {
    EXPECT_EQ(digest_of(DigestKind::sha256, "abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(digest_of(DigestKind::md5, "abc"), "900150983cd24fb0d6963f7d28e17f72");
    EXPECT_EQ(digest_of(DigestKind::crc32, "123456789"), "cbf43926");
    EXPECT_EQ(digest_of(DigestKind::crc32c, "123456789"), "e3069283");
    EXPECT_EQ(digest_of(DigestKind::crc32c, std::string(32, '\0')), "8a9136aa");
}

TEST(Digest, of_nothing) {
    EXPECT_EQ(to_hex(Digest(DigestKind::sha256).finish()),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(Digest(DigestKind::md5).finish()), "d41d8cd98f00b204e9800998ecf8427e");
    EXPECT_EQ(digest_of(DigestKind::crc32, ""), "00000000");
    EXPECT_EQ(digest_of(DigestKind::crc32c, ""), "00000000");
}

TEST(Digest, does_not_depend_on_how_the_bytes_arrive) {
    const Bytes bytes = pattern(1000);
    for (const auto kind :
         {DigestKind::sha256, DigestKind::md5, DigestKind::crc32, DigestKind::crc32c}) {
        Digest whole(kind);
        whole.update(bytes);
        const Bytes expected = whole.finish();
        for (const std::size_t step : {1U, 7U, 64U, 999U}) {
            Digest pieces(kind);
            ByteView rest = bytes;
            while (!rest.empty()) {
                const std::size_t n = std::min(step, rest.size());
                pieces.update(rest.first(n));
                pieces.update({});
                rest = rest.subspan(n);
            }
            EXPECT_EQ(pieces.finish(), expected);
        }
    }
}

TEST(Crc32c, table_and_instruction_agree_at_every_length_and_alignment) {
    if (!has_crc32c_instruction()) GTEST_SKIP() << "no CRC32 instruction on this processor";
    const Bytes bytes = pattern(300);
    for (std::size_t from = 0; from < 9; ++from) {
        for (std::size_t size = 0; size < 280; ++size) {
            const ByteView part = ByteView(bytes).subspan(from, size);
            EXPECT_EQ(crc32c_by_table(17, part), crc32c_by_instruction(17, part));
        }
    }
}

TEST(Crc32c, table_known_answer) {
    EXPECT_EQ(crc32c_by_table(0, as_bytes("123456789")), 0xE3069283U);
}

TEST(Sha256, known_answer_twice_in_a_row) {
    const std::string_view expected =
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
    const std::string_view text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    EXPECT_EQ(to_hex(sha256(as_bytes(text))), expected);
    EXPECT_EQ(to_hex(sha256(as_bytes(text))), expected);
}

// RFC 4231, test cases 1, 2 and 6.
TEST(HmacSha256, known_answers) {
    EXPECT_EQ(to_hex(hmac_sha256(as_bytes(std::string(20, '\x0b')), as_bytes("Hi There"))),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(
        to_hex(hmac_sha256(as_bytes(std::string(131, '\xaa')),
                           as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, an_empty_key_is_a_key_of_its_own) {
    const auto other = hmac_sha256(as_bytes("Jefe"), as_bytes("x"));
    const auto empty = hmac_sha256({}, as_bytes(""));
    EXPECT_EQ(to_hex(empty), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    EXPECT_NE(hmac_sha256({}, as_bytes("x")), other);
}

// The example of the AWS documentation for deriving a signing key.
TEST(HmacSha256, chained_gives_the_documented_signing_key) {
    auto key =
        hmac_sha256(as_bytes("AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), as_bytes("20150830"));
    for (const std::string_view part : {"us-east-1", "iam", "aws4_request"}) {
        key = hmac_sha256(key, as_bytes(part));
    }
    EXPECT_EQ(to_hex(key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

}  // namespace
}  // namespace satchel::crypto
