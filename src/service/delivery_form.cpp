#include "service/delivery_form.hpp"

#include <algorithm>
#include <array>

namespace satchel {
namespace {

// Types whose files may tell where and with what they were made.
constexpr std::array<std::string_view, 6> types_with_metadata{
    "image/jpeg", "image/png", "image/heic", "image/heif", "video/mp4", "video/quicktime"};

}  // namespace

std::optional<media::Form> delivery_form(std::string_view type,
                                         Purpose purpose,
                                         const DeliverySettings& settings) {
    if (purpose == Purpose::voice_memo) {
        return settings.transcode ? std::optional(media::Form::voice) : std::nullopt;
    }
    // A new JPEG takes no metadata over.
    if (settings.transcode && type == "image/tiff") return media::Form::jpeg;
    if (settings.transcode && type == "audio/x-caf") return media::Form::m4a;
    const bool is_heic = type == "image/heic" || type == "image/heif";
    if (settings.heic_to_jpeg && is_heic) return media::Form::jpeg;
    if (!settings.strip_metadata) return std::nullopt;
    const bool may_tell = type == "image/tiff" ||
                          std::ranges::find(types_with_metadata, type) != types_with_metadata.end();
    return may_tell ? std::optional(media::Form::stripped) : std::nullopt;
}

}  // namespace satchel
