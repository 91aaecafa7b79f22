// Short texts as the database keeps them: message parts, bodies of waiting events, names.
// Format: docs/formats/keys.md.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/key.hpp"

#include <string>
#include <string_view>

namespace satchel::crypto {

// Immutable; usable from every thread.
class TextCipher {
public:
    explicit TextCipher(const Key& text_key) : key_(text_key) {}

    // `field` says what the text is ("message parts"), `owner` whose: the id of its row. Every
    // call uses a key of its own, so a text may be sealed again as often as it changes.
    Bytes seal(std::string_view field, ByteView owner, std::string_view text) const;
    // Errc::corrupt if it was changed, or was sealed as another field, for another owner or
    // under another key.
    Result<std::string> open(std::string_view field, ByteView owner, ByteView sealed) const;

private:
    Key key_of(ByteView owner, ByteView salt) const;

    Key key_;
};

}  // namespace satchel::crypto
