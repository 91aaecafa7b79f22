// Which form of a file its recipient gets: contract sections 2.6, 4 and 10.6.
#pragma once

#include "media/converter.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace satchel {

// A form that a rendition can have.
struct WantedForm {
    media::Form form = media::Form::jpeg;
    std::uint32_t width = 0;        // For previews.
    bool without_metadata = false;  // What is made of it is stripped, too.

    auto operator<=>(const WantedForm&) const = default;
};
// As it is stored, and as it stands in URLs.
std::string name_of(const WantedForm& wanted);

struct DeliverySettings {
    bool transcode = true;        // TIFF and CAF, and voice memos, as the contract has them.
    bool heic_to_jpeg = false;    // media.heic_to_jpeg
    bool strip_metadata = false;  // media.strip_metadata
};

enum class Purpose : std::uint8_t { media, voice_memo };

// `type`: what the bytes are, a name of contract section 2.6. Nullopt: the file as it is.
std::optional<WantedForm> delivery_form(std::string_view type,
                                        Purpose purpose,
                                        const DeliverySettings& settings);

}  // namespace satchel
