// Signatures (Ed25519, RFC 8032).
#pragma once

#include "base/bytes.hpp"
#include "crypto/key.hpp"

#include <array>
#include <cstddef>
#include <memory>

namespace satchel::crypto {

using PublicKey = std::array<std::byte, 32>;
using Signature = std::array<std::byte, 64>;

// Immutable; usable from every thread.
class SigningKey {
public:
    explicit SigningKey(const Key& seed);
    ~SigningKey();
    SigningKey(const SigningKey&) = delete;
    SigningKey& operator=(const SigningKey&) = delete;

    const PublicKey& public_key() const { return public_key_; }
    // The same message always gets the same signature. Some 30 us.
    Signature sign(ByteView message) const;

private:
    struct State;
    std::unique_ptr<State> state_;
    PublicKey public_key_{};
};

// False, too, for 32 bytes that are no public key.
bool is_signed(const PublicKey& key, ByteView message, const Signature& signature);

}  // namespace satchel::crypto
