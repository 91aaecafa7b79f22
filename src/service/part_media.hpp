// What the parts of a message take from attachments: a media part its file, an app card its image.
#pragma once

#include "service/message_service.hpp"

namespace satchel {

// Of a NewPart, const or not. Null if the part takes nothing.
template <class AnyPart>
auto reference_in(AnyPart& part) -> decltype(std::get_if<MediaReference>(&part)) {
    if (auto* card = std::get_if<NewAppCard>(&part)) return card->image ? &*card->image : nullptr;
    return std::get_if<MediaReference>(&part);
}

// The part as it is stored and as it is shown, before its media is known.
void append_part(const NewPart& part,
                 std::vector<meta::StoredPart>& stored,
                 std::vector<Part>& shown);
void fill_in(const Media& media, meta::StoredPart& stored, Part& shown);

// A voice memo is audio, a card's image an image. reasons::invalid_file_type.
Result<> check_kind(const Media& media, const NewPart& part, const SendContext& context);

}  // namespace satchel
