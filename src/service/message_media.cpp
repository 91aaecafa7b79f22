#include "service/message_media.hpp"

namespace satchel {

std::vector<AttachmentId> attachments_in(const std::vector<meta::StoredPart>& parts) {
    std::vector<AttachmentId> ids;
    for (const meta::StoredPart& part : parts) {
        if (const auto* media = std::get_if<meta::StoredMedia>(&part)) {
            ids.push_back(media->attachment);
        }
        const auto* card = std::get_if<meta::StoredAppCard>(&part);
        if (card != nullptr && card->image) ids.push_back(*card->image);
    }
    return ids;
}

// An upload has limits::upload_window for its bytes; what is staged has them already.
bool is_from_elsewhere(const meta::AttachmentRow& row) {
    return row.upload_expires_at <= row.created_at;
}

Result<> add_media_of(meta::Session& session,
                      const meta::MessageRow& message,
                      MediaOrigin origin,
                      std::vector<OwnedAttachment>& out) {
    for (const AttachmentId id : attachments_in(message.parts)) {
        TRY(const auto row, meta::find_stored_attachment(session, id));
        if (!row || row->partner != message.partner) continue;
        if (origin == MediaOrigin::elsewhere && !is_from_elsewhere(*row)) continue;
        out.push_back({row->partner, id});
    }
    return {};
}

Result<> add_media_of(meta::Session& session,
                      std::int64_t message,
                      MediaOrigin origin,
                      std::vector<OwnedAttachment>& out) {
    TRY(const auto row, meta::find_message_by_seq(session, message, meta::before_any_expiry));
    if (!row) return {};
    return add_media_of(session, *row, origin, out);
}

}  // namespace satchel
