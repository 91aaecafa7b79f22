#include "crypto/text_cipher.hpp"

#include "base/random.hpp"

#include <array>

namespace satchel::crypto {
namespace {

constexpr std::size_t salt_bytes = 16;

}  // namespace

Key TextCipher::key_of(ByteView owner, ByteView salt) const {
    Bytes context(salt.begin(), salt.end());
    context.insert(context.end(), owner.begin(), owner.end());
    return derive(key_, "satchel text v1", context);
}

Bytes TextCipher::seal(std::string_view field, ByteView owner, std::string_view text) const {
    std::array<std::byte, salt_bytes> salt{};
    fill_random(salt);
    const Bytes sealed = seal_once(key_of(owner, salt), as_bytes(field), as_bytes(text));
    Bytes out(salt.begin(), salt.end());
    out.insert(out.end(), sealed.begin(), sealed.end());
    return out;
}

Result<std::string> TextCipher::open(std::string_view field,
                                     ByteView owner,
                                     ByteView sealed) const {
    if (sealed.size() < salt_bytes) return fail(Errc::corrupt, "a sealed text is too short");
    TRY(const Bytes text, open_once(key_of(owner, sealed.first(salt_bytes)), as_bytes(field),
                                    sealed.subspan(salt_bytes)));
    return std::string(as_text(text));
}

}  // namespace satchel::crypto
