// The settings in one table: how each is spelled, what it accepts and where it goes.
#pragma once

#include "app/config.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace satchel::app {

// A value as it was written, before it is known to fit.
struct RawValue {
    std::string text;              // Numbers and booleans as text, too.
    std::filesystem::path folder;  // What relative paths are meant from.
};

enum class KeyKind : std::uint8_t { text, boolean, number };

struct ConfigKey {
    std::string_view name;  // section.key
    KeyKind kind;
    std::string_view accepted;              // Completes "NAME must be ...".
    bool secret;                            // Its value never appears in a message.
    bool (*set)(Config&, const RawValue&);  // False if the value is not accepted.

    std::string variable() const;  // SATCHEL_SECTION__KEY
    std::string_view section() const { return name.substr(0, name.find('.')); }
};

std::span<const ConfigKey> config_keys();
const ConfigKey* find_key(std::string_view name);

}  // namespace satchel::app
