// Owners and prefetched algorithms of OpenSSL's EVP interface. Private to this folder: no other
// header includes it.
//
// Fetching an algorithm by name costs microseconds, so each is fetched once a process and never
// freed. A default provider without them is a broken installation: ASSERT.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <openssl/evp.h>

#include <memory>
#include <span>

namespace satchel::crypto::openssl {

inline const unsigned char* input(ByteView bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* output(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

template <auto free_function>
struct Free {
    template <class T>
    void operator()(T* object) const {
        free_function(object);
    }
};

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Free<EVP_MAC_CTX_free>>;

inline const EVP_CIPHER* aes_256_gcm() {
    static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    ASSERT(cipher != nullptr);
    return cipher;
}

inline const EVP_MD* sha256() {
    static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
    ASSERT(digest != nullptr);
    return digest;
}

inline const EVP_MD* md5() {
    static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "MD5", nullptr);
    ASSERT(digest != nullptr);
    return digest;
}

inline EVP_MAC* hmac() {
    static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    ASSERT(mac != nullptr);
    return mac;
}

// A context that only lacks a key and a nonce.
inline CipherContext make_aes_256_gcm() {
    CipherContext context(EVP_CIPHER_CTX_new());
    ASSERT(context != nullptr);
    ASSERT(EVP_CipherInit_ex2(context.get(), aes_256_gcm(), nullptr, nullptr, 1, nullptr) == 1);
    return context;
}

}  // namespace satchel::crypto::openssl
