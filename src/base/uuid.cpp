#include "base/uuid.hpp"

#include "base/bytes.hpp"
#include "base/random.hpp"

namespace satchel {

Uuid Uuid::random() {
    Uuid uuid;
    fill_random(uuid.bytes);
    uuid.bytes[6] = (uuid.bytes[6] & std::byte{0x0f}) | std::byte{0x40};
    uuid.bytes[8] = (uuid.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    return uuid;
}

Uuid Uuid::ordered(Time at) {
    Uuid uuid;
    fill_random(uuid.bytes);
    auto millis = static_cast<std::uint64_t>(to_micros(at)) / 1000;
    for (std::size_t i = 6; i-- > 0; millis >>= 8) uuid.bytes[i] = static_cast<std::byte>(millis);
    uuid.bytes[6] = (uuid.bytes[6] & std::byte{0x0f}) | std::byte{0x70};
    uuid.bytes[8] = (uuid.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    return uuid;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    std::array<char, 32> digits{};
    std::size_t n = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_dash_place = i == 8 || i == 13 || i == 18 || i == 23;
        if ((text[i] == '-') != is_dash_place) return std::nullopt;
        if (!is_dash_place) digits[n++] = text[i];
    }
    const auto raw = from_hex({digits.data(), digits.size()});
    if (!raw) return std::nullopt;
    return from_bytes(std::span<const std::byte, 16>(*raw));
}

Uuid Uuid::from_bytes(std::span<const std::byte, 16> raw) {
    Uuid uuid;
    std::memcpy(uuid.bytes.data(), raw.data(), raw.size());
    return uuid;
}

std::string Uuid::str() const {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text(36, '-');
    std::size_t at = 0;
    for (const std::byte b : bytes) {
        if (at == 8 || at == 13 || at == 18 || at == 23) ++at;
        text[at++] = digits[std::to_integer<std::size_t>(b >> 4)];
        text[at++] = digits[std::to_integer<std::size_t>(b & std::byte{15})];
    }
    return text;
}

}  // namespace satchel
