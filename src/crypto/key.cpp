#include "crypto/key.hpp"

#include "base/random.hpp"
#include "crypto/hmac.hpp"
#include "crypto/openssl.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <span>

namespace satchel::crypto {
namespace {

constexpr std::array<unsigned char, 12> zero_nonce{};

// Feeds `in`; the output goes to `out`, or nowhere if that is null (additional data).
void feed(EVP_CIPHER_CTX* context, unsigned char* out, ByteView in) {
    if (in.empty()) return;
    ASSERT(in.size() <= INT_MAX);
    int n = 0;
    ASSERT(EVP_CipherUpdate(context, out, &n, openssl::input(in), static_cast<int>(in.size())) ==
           1);
}

}  // namespace

Key Key::random() {
    Key key;
    fill_random(key.bytes);
    return key;
}

Key::~Key() {
    OPENSSL_cleanse(bytes.data(), bytes.size());
}

Key derive(const Key& parent, std::string_view label, ByteView context) {
    static constexpr std::byte separator{0};
    Key key;
    key.bytes = hmac_sha256_parts(parent.bytes, {as_bytes(label), {&separator, 1}, context});
    return key;
}

Bytes seal_once(const Key& key, ByteView aad, ByteView plaintext) {
    thread_local const openssl::CipherContext owner = openssl::make_aes_256_gcm();
    EVP_CIPHER_CTX* const context = owner.get();
    Bytes out(plaintext.size() + tag_bytes);
    const std::span tag = std::span(out).last(tag_bytes);

    ASSERT(EVP_EncryptInit_ex2(context, nullptr, openssl::input(key.bytes), zero_nonce.data(),
                               nullptr) == 1);
    feed(context, nullptr, aad);
    feed(context, openssl::output(out), plaintext);
    int n = 0;
    ASSERT(EVP_EncryptFinal_ex(context, openssl::output(tag), &n) == 1);
    ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_bytes, tag.data()) == 1);
    return out;
}

Result<Bytes> open_once(const Key& key, ByteView aad, ByteView sealed) {
    thread_local const openssl::CipherContext owner = openssl::make_aes_256_gcm();
    EVP_CIPHER_CTX* const context = owner.get();
    if (sealed.size() < tag_bytes) return fail(Errc::corrupt, "sealed bytes are too short");
    Bytes out(sealed.size() - tag_bytes);
    std::array<std::byte, tag_bytes> tag{};
    std::ranges::copy(sealed.last(tag_bytes), tag.begin());

    ASSERT(EVP_DecryptInit_ex2(context, nullptr, openssl::input(key.bytes), zero_nonce.data(),
                               nullptr) == 1);
    feed(context, nullptr, aad);
    feed(context, openssl::output(out), sealed.first(out.size()));
    ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) == 1);
    int n = 0;
    std::array<unsigned char, tag_bytes> unused{};
    if (EVP_DecryptFinal_ex(context, unused.data(), &n) != 1) {
        OPENSSL_cleanse(out.data(), out.size());
        return fail(Errc::corrupt, "sealed bytes fail authentication");
    }
    return out;
}

bool equal_constant_time(ByteView a, ByteView b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace satchel::crypto
