#include "service/picture.hpp"

#include "model/api_errors.hpp"

namespace satchel {
namespace {

Result<> check_image(const Media& media) {
    if (media.mime_type.starts_with("image/")) return {};
    return fail(reasons::invalid_file_type, "The URL must lead to an image");
}

}  // namespace

Async<Picture> fetch_picture(MediaService& media, PartnerId partner, std::string url) {
    Picture picture;
    CO_TRY(picture.own, media.own_reference(partner, url));
    if (picture.own) co_return picture;
    CO_TRY(picture.staged, co_await media.stage_url(partner, std::move(url)));
    auto checked = check_image(picture.staged->media);
    if (!checked) {
        co_await settle_picture(media, picture, Kept::no);
        co_return std::unexpected(std::move(checked).error());
    }
    co_return picture;
}

Result<Media> keep_picture(meta::Session& session,
                           const MediaService& media,
                           PartnerId partner,
                           const Picture& picture) {
    if (picture.staged) {
        // What a card or a group shows has no 24 hours' life, whatever the tier.
        CHECK(media.keep(session, *picture.staged, Tier::persistent));
        return picture.staged->media;
    }
    TRY(Sendable own, media.sendable(session, partner, *picture.own));
    CHECK(check_image(own.media));
    CHECK(media.mark_sent(session, own));
    return std::move(own.media);
}

Task<> settle_picture(MediaService& media, const Picture& picture, Kept kept) {
    if (!picture.staged) co_return;
    const std::vector<StagedMedia> staged{*picture.staged};
    if (kept == Kept::yes) {
        ignore(co_await media.confirm(staged), "start-up confirms it too");
    } else {
        ignore(co_await media.discard(staged), "start-up removes it too");
    }
}

}  // namespace satchel
