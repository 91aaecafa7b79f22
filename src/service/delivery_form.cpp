#include "service/delivery_form.hpp"

#include <algorithm>
#include <array>

namespace satchel {
namespace {

// Types whose files may tell where and with what they were made.
constexpr std::array<std::string_view, 9> types_with_metadata{
    "image/jpeg", "image/png",       "image/heic",  "image/heif", "image/tiff",
    "video/mp4",  "video/quicktime", "video/x-m4v", "video/3gpp"};

std::string_view to_string(media::Form form) {
    switch (form) {
        case media::Form::jpeg:
            return "jpeg";
        case media::Form::m4a:
            return "m4a";
        case media::Form::voice:
            return "voice";
        case media::Form::preview:
            return "preview";
        case media::Form::stripped:
            return "stripped";
        case media::Form::waveform:
            return "waveform";
    }
    return {};
}

}  // namespace

std::string name_of(const WantedForm& wanted) {
    std::string name(to_string(wanted.form));
    if (wanted.without_metadata) name += "-stripped";
    return name;
}

std::optional<WantedForm> delivery_form(std::string_view type,
                                        Purpose purpose,
                                        const DeliverySettings& settings) {
    if (purpose == Purpose::voice_memo) {
        if (!settings.transcode) return std::nullopt;
        return WantedForm{.form = media::Form::voice};
    }
    const bool is_heic = type == "image/heic" || type == "image/heif";
    const bool becomes_jpeg =
        (settings.transcode && type == "image/tiff") || (settings.heic_to_jpeg && is_heic);
    if (becomes_jpeg) {
        return WantedForm{.form = media::Form::jpeg, .without_metadata = settings.strip_metadata};
    }
    if (settings.transcode && type == "audio/x-caf") return WantedForm{.form = media::Form::m4a};
    if (!settings.strip_metadata) return std::nullopt;
    if (std::ranges::find(types_with_metadata, type) == types_with_metadata.end()) {
        return std::nullopt;
    }
    return WantedForm{.form = media::Form::stripped};
}

}  // namespace satchel
