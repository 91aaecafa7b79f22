#include "crypto/frame_cipher.hpp"

#include "crypto/openssl.hpp"

#include <openssl/crypto.h>

#include <array>
#include <climits>
#include <string>

namespace satchel::crypto {
namespace {

enum class Direction : int { open = 0, seal = 1 };

}  // namespace

struct FrameCipher::State {
    openssl::CipherContext context = openssl::make_aes_256_gcm();

    // Everything but the tag. Only the nonce is set anew: the key schedule stays.
    void run(Direction direction, std::uint64_t index, Last last, std::span<std::byte> text) {
        // Nonce: 4 zero bytes || index. Additional data: index || last.
        std::array<unsigned char, 12> nonce{};
        std::array<unsigned char, 9> aad{};
        for (unsigned i = 0; i < 8; ++i) {
            nonce[4 + i] = aad[i] = static_cast<unsigned char>(index >> (8 * i));
        }
        aad[8] = last == Last::yes ? 1 : 0;

        ASSERT(text.size() <= INT_MAX);
        EVP_CIPHER_CTX* const c = context.get();
        const int enc = static_cast<int>(direction);
        int n = 0;
        ASSERT(EVP_CipherInit_ex2(c, nullptr, nullptr, nonce.data(), enc, nullptr) == 1);
        ASSERT(EVP_CipherUpdate(c, nullptr, &n, aad.data(), static_cast<int>(aad.size())) == 1);
        if (text.empty()) return;
        const int size = static_cast<int>(text.size());
        ASSERT(EVP_CipherUpdate(c, openssl::output(text), &n, openssl::input(text), size) == 1);
    }

    bool finish() {
        std::array<unsigned char, tag_bytes> unused{};
        int n = 0;
        return EVP_CipherFinal_ex(context.get(), unused.data(), &n) == 1;
    }
};

FrameCipher::FrameCipher(const Key& key) : state_(std::make_unique<State>()) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(key.bytes.data());
    ASSERT(EVP_CipherInit_ex2(state_->context.get(), nullptr, bytes, nullptr, 1, nullptr) == 1);
}

FrameCipher::~FrameCipher() = default;
FrameCipher::FrameCipher(FrameCipher&&) noexcept = default;
FrameCipher& FrameCipher::operator=(FrameCipher&&) noexcept = default;

void FrameCipher::seal(std::uint64_t index,
                       Last last,
                       std::span<std::byte> text,
                       std::span<std::byte, tag_bytes> tag) {
    state_->run(Direction::seal, index, last, text);
    ASSERT(state_->finish());
    ASSERT(EVP_CIPHER_CTX_ctrl(state_->context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes,
                               tag.data()) == 1);
}

Result<> FrameCipher::open(std::uint64_t index,
                           Last last,
                           std::span<std::byte> text,
                           std::span<const std::byte, tag_bytes> tag) {
    state_->run(Direction::open, index, last, text);
    std::array<std::byte, tag_bytes> expected{};
    std::ranges::copy(tag, expected.begin());
    ASSERT(EVP_CIPHER_CTX_ctrl(state_->context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes,
                               expected.data()) == 1);
    if (!state_->finish()) {
        OPENSSL_cleanse(text.data(), text.size());
        return fail(Errc::corrupt, "frame " + std::to_string(index) + " fails authentication");
    }
    return {};
}

}  // namespace satchel::crypto
