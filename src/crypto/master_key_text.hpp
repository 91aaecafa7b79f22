// Master keys as text: what a key file holds and a key command prints. Format:
// docs/formats/keys.md.
#pragma once

#include "base/result.hpp"
#include "crypto/key.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::crypto {

// Says which key it is, and nothing about the key.
using KeyCheck = std::array<std::byte, 8>;
KeyCheck check_of(const Key& key);

struct MasterKey {
    std::uint32_t version = 0;
    Key key;
};

// Text that holds a key, wiped when destroyed.
struct SecretText {
    std::string text;
    SecretText();  // With room for a whole key text: appending leaves no copy behind.
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
    ~SecretText();
};

// At least one, versions ascending. Errc::corrupt otherwise; `message` completes "it ...".
Result<std::vector<MasterKey>> parse_master_keys(std::string_view text);

// One line, with its newline.
void append_key_line(SecretText& to, const MasterKey& key);
// All but the line of `version`, comments included.
void append_without(SecretText& to, std::string_view text, std::uint32_t version);

}  // namespace satchel::crypto
