// Images that clients name by URL: group icons, contact cards, app cards. Contract section 6.
//
// Order of writes: as for media from elsewhere, see media_service.hpp. Whoever was handed a
// Picture ends it with settle_picture(), whatever became of the write.
#pragma once

#include "service/media_service.hpp"

#include <optional>
#include <string>

namespace satchel {

struct Picture {
    std::optional<AttachmentId> own;  // By a download URL of the partner's own; else
    std::optional<StagedMedia> staged;
};

// reasons::media_fetch_failed, invalid_file_type unless it is an image, attachment_not_found, and
// those of MediaService::stage_url().
Async<Picture> fetch_picture(MediaService& media, PartnerId partner, std::string url);

// Inside the write that refers to it. As above, and those of MediaService::sendable().
Result<Media> keep_picture(meta::Session& session,
                           const MediaService& media,
                           PartnerId partner,
                           const Picture& picture);

enum class Kept : bool { no, yes };
Task<> settle_picture(MediaService& media, const Picture& picture, Kept kept);

}  // namespace satchel
