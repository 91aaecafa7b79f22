// 128-bit identifiers, lower-case text at the borders, and strong types over them.
#pragma once

#include "base/clock.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace satchel {

struct Uuid {
    std::array<std::byte, 16> bytes{};

    static Uuid random();  // Version 4.
    // Version 7: later ones are greater, to the millisecond, so that an index on them grows at
    // its end.
    static Uuid ordered(Time at);
    // Canonical 36-character form; upper case is accepted. Anything else is nullopt.
    static std::optional<Uuid> parse(std::string_view text);
    static Uuid from_bytes(std::span<const std::byte, 16> raw);
    std::string str() const;

    auto operator<=>(const Uuid&) const = default;
};

// Id<PartnerTag> and Id<AttachmentTag> do not mix.
template <class Tag>
struct Id {
    Uuid value;

    static Id random() { return Id{Uuid::random()}; }
    static Id ordered(Time at) { return Id{Uuid::ordered(at)}; }
    static std::optional<Id> parse(std::string_view text) {
        if (auto uuid = Uuid::parse(text)) return Id{*uuid};
        return std::nullopt;
    }
    std::string str() const { return value.str(); }
    std::span<const std::byte> bytes() const { return value.bytes; }

    auto operator<=>(const Id&) const = default;
};

struct IdHash {
    template <class Tag>
    std::size_t operator()(const Id<Tag>& id) const {
        std::size_t hash = 0;
        std::memcpy(&hash, id.value.bytes.data(), sizeof hash);
        return hash;
    }
};

}  // namespace satchel
