#include "crypto/ed25519.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace satchel::crypto {
namespace {

struct Vector {
    std::string_view seed;
    std::string_view public_key;
    std::string_view message;
    std::string_view signature;
};

// RFC 8032, section 7.1: TEST 1, 2, 3 and SHA(abc).
constexpr Vector vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fee"
     "bbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e"
     "0303dca179c138ac17ad9bef1177331a704"},
};

template <std::size_t size>
std::array<std::byte, size> array_of(std::string_view hex) {
    const auto bytes = from_hex(hex);
    std::array<std::byte, size> out{};
    EXPECT_TRUE(bytes && bytes->size() == size) << hex;
    std::ranges::copy(*bytes, out.begin());
    return out;
}

TEST(Ed25519, signs_as_the_rfc_does) {
    for (const Vector& vector : vectors) {
        Key seed;
        seed.bytes = array_of<32>(vector.seed);
        const SigningKey key(seed);
        const Bytes message = *from_hex(vector.message);
        const Signature signature = key.sign(message);
        EXPECT_EQ(to_hex(key.public_key()), vector.public_key);
        EXPECT_EQ(to_hex(signature), vector.signature);
        EXPECT_TRUE(is_signed(key.public_key(), message, signature));
    }
}

TEST(Ed25519, refuses_what_was_changed_in_any_bit) {
    const SigningKey key(Key::random());
    Bytes message = *from_hex("00112233");
    Signature signature = key.sign(message);
    PublicKey owner = key.public_key();
    const auto refuses_every_flip = [&](std::span<std::byte> bytes) {
        for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
            const std::byte mask{static_cast<unsigned char>(1U << bit % 8)};
            bytes[bit / 8] ^= mask;
            EXPECT_FALSE(is_signed(owner, message, signature)) << bit;
            bytes[bit / 8] ^= mask;
        }
    };
    refuses_every_flip(message);
    refuses_every_flip(signature);
    refuses_every_flip(owner);
    EXPECT_TRUE(is_signed(owner, message, signature));
}

TEST(Ed25519, refuses_another_key_and_a_longer_message) {
    const SigningKey key(Key::random());
    const SigningKey other(Key::random());
    const Signature signature = key.sign(as_bytes("abc"));
    EXPECT_FALSE(is_signed(other.public_key(), as_bytes("abc"), signature));
    EXPECT_FALSE(is_signed(key.public_key(), as_bytes("abcd"), signature));
    EXPECT_FALSE(is_signed(PublicKey{}, as_bytes("abc"), Signature{}));
}

}  // namespace
}  // namespace satchel::crypto
