// The settings in one table: how each is spelled, what it accepts and where it goes.
#pragma once

#include "app/config.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::app {

// A value as it was written, before it is known to fit.
struct RawValue {
    std::string text;                     // Numbers and booleans as text, too.
    std::filesystem::path folder;         // What relative paths are meant from.
    std::vector<std::string> words = {};  // Of a list.
};

// A command is a text or a list of texts.
enum class KeyKind : std::uint8_t { text, boolean, number, command };

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
