#include "service/part_media.hpp"

#include "model/api_errors.hpp"

namespace satchel {
namespace {

bool is_audio(const Media& media) {
    return media.mime_type.starts_with("audio/") && media.mime_type != "audio/midi";
}

}  // namespace

void append_part(const NewPart& part,
                 std::vector<meta::StoredPart>& stored,
                 std::vector<Part>& shown) {
    if (const auto* text = std::get_if<TextPart>(&part)) {
        stored.emplace_back(*text);
        shown.emplace_back(*text);
    } else if (const auto* link = std::get_if<LinkPart>(&part)) {
        stored.emplace_back(*link);
        shown.emplace_back(*link);
    } else if (const auto* card = std::get_if<NewAppCard>(&part)) {
        stored.emplace_back(meta::StoredAppCard{card->card, {}});
        shown.emplace_back(AppCardPart{card->card, {}});
    } else {
        stored.emplace_back(meta::StoredMedia{});
        shown.emplace_back(MediaPart{});
    }
}

void fill_in(const Media& media, meta::StoredPart& stored, Part& shown) {
    if (auto* card = std::get_if<meta::StoredAppCard>(&stored)) {
        card->image = media.id;
        std::get<AppCardPart>(shown).image = media;
    } else {
        stored = meta::StoredMedia{media.id, media.form};
        shown = MediaPart{media};
    }
}

Result<> check_kind(const Media& media, const NewPart& part, const SendContext& context) {
    if (std::holds_alternative<NewAppCard>(part) && !media.mime_type.starts_with("image/")) {
        return fail(reasons::invalid_file_type, "layout.image_url must lead to an image");
    }
    if (context.is_voice_memo && !is_audio(media)) {
        return fail(reasons::invalid_file_type, "A voice memo must be audio");
    }
    return {};
}

}  // namespace satchel
