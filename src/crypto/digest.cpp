#include "crypto/digest.hpp"

#include "base/result.hpp"
#include "crypto/crc32c.hpp"
#include "crypto/hmac.hpp"
#include "crypto/openssl.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <zlib.h>

#include <span>

namespace satchel::crypto {
namespace {

openssl::DigestContext start(const EVP_MD* digest) {
    openssl::DigestContext context(EVP_MD_CTX_new());
    ASSERT(context != nullptr);
    ASSERT(EVP_DigestInit_ex2(context.get(), digest, nullptr) == 1);
    return context;
}

openssl::MacContext make_hmac_sha256() {
    openssl::MacContext context(EVP_MAC_CTX_new(openssl::hmac()));
    ASSERT(context != nullptr);
    char name[] = "SHA2-256";
    const OSSL_PARAM settings[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    ASSERT(EVP_MAC_CTX_set_params(context.get(), settings) == 1);
    return context;
}

}  // namespace

struct Digest::State {
    DigestKind kind;
    std::uint32_t crc = 0;
    openssl::DigestContext context;
};

Digest::Digest(DigestKind kind) : state_(new State{.kind = kind, .crc = 0, .context = nullptr}) {
    if (kind == DigestKind::sha256) state_->context = start(openssl::sha256());
    if (kind == DigestKind::md5) state_->context = start(openssl::md5());
}

Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::update(ByteView bytes) {
    switch (state_->kind) {
        case DigestKind::sha256:
        case DigestKind::md5:
            ASSERT(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
            break;
        case DigestKind::crc32:
            // zlib answers with the initial value when there is no buffer.
            if (bytes.empty()) break;
            state_->crc = static_cast<std::uint32_t>(
                crc32_z(state_->crc, openssl::input(bytes), bytes.size()));
            break;
        case DigestKind::crc32c:
            state_->crc = crc32c(state_->crc, bytes);
            break;
    }
}

Bytes Digest::finish() {
    if (state_->context != nullptr) {
        Bytes out(static_cast<std::size_t>(EVP_MD_CTX_get_size(state_->context.get())));
        ASSERT(EVP_DigestFinal_ex(state_->context.get(), openssl::output(out), nullptr) == 1);
        return out;
    }
    Bytes out;
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<std::byte>(state_->crc >> shift & 0xFF));
    }
    return out;
}

std::array<std::byte, 32> sha256(ByteView bytes) {
    thread_local const openssl::DigestContext context = start(openssl::sha256());
    std::array<std::byte, 32> out{};
    ASSERT(EVP_DigestInit_ex2(context.get(), nullptr, nullptr) == 1);
    ASSERT(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
    ASSERT(EVP_DigestFinal_ex(context.get(), openssl::output(out), nullptr) == 1);
    return out;
}

std::array<std::byte, 32> hmac_sha256_parts(ByteView key, std::initializer_list<ByteView> parts) {
    thread_local const openssl::MacContext context = make_hmac_sha256();
    // A null key would mean "the key of the last message".
    static constexpr unsigned char no_key = 0;
    std::array<std::byte, 32> out{};
    ASSERT(EVP_MAC_init(context.get(), key.empty() ? &no_key : openssl::input(key), key.size(),
                        nullptr) == 1);
    for (const ByteView part : parts) {
        ASSERT(EVP_MAC_update(context.get(), openssl::input(part), part.size()) == 1);
    }
    std::size_t size = 0;
    ASSERT(EVP_MAC_final(context.get(), openssl::output(out), &size, out.size()) == 1);
    ASSERT(size == out.size());
    return out;
}

std::array<std::byte, 32> hmac_sha256(ByteView key, ByteView message) {
    return hmac_sha256_parts(key, {message});
}

}  // namespace satchel::crypto
