// Which form of a file its recipient gets: contract sections 2.6, 4 and 10.6.
#pragma once

#include "media/converter.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace satchel {

struct DeliverySettings {
    bool transcode = true;        // TIFF and CAF, and voice memos, as the contract has them.
    bool heic_to_jpeg = false;    // media.heic_to_jpeg
    bool strip_metadata = false;  // media.strip_metadata
};

enum class Purpose : std::uint8_t { media, voice_memo };

// `type`: what the bytes are, a name of contract section 2.6. Nullopt: the file as it is.
std::optional<media::Form> delivery_form(std::string_view type,
                                         Purpose purpose,
                                         const DeliverySettings& settings);

}  // namespace satchel
