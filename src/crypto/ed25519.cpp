#include "crypto/ed25519.hpp"

#include "crypto/openssl.hpp"

#include <openssl/err.h>

namespace satchel::crypto {
namespace {

using KeyPtr = std::unique_ptr<EVP_PKEY, openssl::Free<EVP_PKEY_free>>;

openssl::DigestContext make_context() {
    openssl::DigestContext context(EVP_MD_CTX_new());
    ASSERT(context != nullptr);
    return context;
}

}  // namespace

struct SigningKey::State {
    KeyPtr key;
};

SigningKey::SigningKey(const Key& seed) : state_(std::make_unique<State>()) {
    state_->key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                                   openssl::input(seed.bytes), seed.bytes.size()));
    ASSERT(state_->key != nullptr);
    std::size_t size = public_key_.size();
    ASSERT(EVP_PKEY_get_raw_public_key(state_->key.get(), openssl::output(public_key_), &size) ==
           1);
    ASSERT(size == public_key_.size());
}

SigningKey::~SigningKey() = default;

Signature SigningKey::sign(ByteView message) const {
    const auto context = make_context();
    ASSERT(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) == 1);
    Signature signature{};
    std::size_t size = signature.size();
    ASSERT(EVP_DigestSign(context.get(), openssl::output(signature), &size, openssl::input(message),
                          message.size()) == 1);
    ASSERT(size == signature.size());
    return signature;
}

bool is_signed(const PublicKey& key, ByteView message, const Signature& signature) {
    const KeyPtr owner(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, openssl::input(key), key.size()));
    const auto context = make_context();
    const bool is_right =
        owner != nullptr &&
        EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, owner.get()) == 1 &&
        EVP_DigestVerify(context.get(), openssl::input(signature), signature.size(),
                         openssl::input(message), message.size()) == 1;
    // What this thread does next must not find the reason of a refusal.
    if (!is_right) ERR_clear_error();
    return is_right;
}

}  // namespace satchel::crypto
