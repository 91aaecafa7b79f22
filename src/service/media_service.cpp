#include "service/media_service.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "meta/ownership.hpp"
#include "model/api_errors.hpp"
#include "model/filename.hpp"

#include <algorithm>

namespace satchel {
namespace {

// A lapsed upload failed at upload_expires_at, a forbidden one when its bytes came, which is
// before.
bool has_lapsed(const meta::AttachmentRow& row) {
    return row.sweep_at && *row.sweep_at >= meta::end_of_lapsed(row);
}

Result<> check_state(const meta::AttachmentRow& row) {
    if (row.contradicts_type) return fail(reasons::content_type_mismatch);
    if (row.state == AttachmentState::complete && row.blob) return {};
    if (row.state == AttachmentState::pending) return fail(reasons::attachment_not_ready);
    if (has_lapsed(row)) {
        return fail(reasons::attachment_not_ready,
                    "Attachment not ready: its upload window is over. Create a new attachment");
    }
    return fail(reasons::invalid_file_type,
                "The attachment's content is not supported: executables, FLAC, OGG and "
                "infected files are refused");
}

// What the bytes are, as far as is known.
const std::string& known_type(const meta::AttachmentRow& row) {
    return row.detected_type.empty() ? row.content_type : row.detected_type;
}

// Its name in contract section 2.6, where the declared one may have parameters or be a former one.
std::string_view canonical_type(const meta::AttachmentRow& row) {
    const ContentType* type = find_content_type(known_type(row));
    return type == nullptr ? std::string_view() : type->name;
}

// Without the form: nullopt, if the file may go as it is.
std::optional<Error> refusal_of(const WantedForm& wanted, const Error& why) {
    const bool is_busy = why.code == Errc::unavailable || why.code == Errc::timed_out;
    // What is to lose its metadata never goes with it.
    if (wanted.form == media::Form::stripped || wanted.without_metadata) {
        if (is_busy) return fail(reasons::overloaded).error();
        return fail(reasons::invalid_file_type,
                    "The file's metadata cannot be removed: it is damaged or of a rare kind")
            .error();
    }
    if (wanted.form == media::Form::voice && !is_busy) {
        return fail(reasons::unprocessable, "The voice memo's audio cannot be decoded").error();
    }
    return std::nullopt;
}

}  // namespace

std::string delivered_type(std::string_view content_type) {
    const ContentType* type = find_content_type(content_type);
    if (type == nullptr) return std::string(content_type);
    // These would have to be converted; a label alone would lie.
    const bool needs_conversion = type->name == "audio/x-caf" || type->name == "image/tiff";
    return std::string(needs_conversion ? type->name : type->delivered);
}

Result<crypto::Key> MediaService::key_of(const meta::AttachmentRow& row) const {
    return parts_.keys.unwrap(row.id, row.key_version, row.wrapped_key);
}

Result<Media> MediaService::describe(const meta::AttachmentRow& row,
                                     const std::optional<meta::RenditionRow>& rendition) const {
    TRY(const crypto::Key key, key_of(row));
    TRY(const Bytes name,
        crypto::open_once(crypto::name_key(key), row.id.bytes(), row.sealed_name));
    Attachment attachment;
    attachment.id = row.id;
    attachment.partner = row.partner;
    attachment.filename = as_text(name);
    attachment.tier = row.tier;
    Media media;
    media.id = row.id;
    media.expires_at = expires_at(row.tier, row.created_at);
    const Time now = parts_.clock.now();
    if (rendition) {
        const ContentType* type = find_content_type(rendition->content_type);
        if (type != nullptr) {
            attachment.filename = with_extension(attachment.filename, type->extension);
        }
        media.url = parts_.urls.url_of(attachment, now, rendition->form);
        media.mime_type = rendition->content_type;
        media.size_bytes = rendition->size_bytes;
        media.form = rendition->form;
        media.duration_ms = rendition->duration_ms;
    } else {
        media.url = parts_.urls.url_of(attachment, now);
        media.mime_type = delivered_type(known_type(row));
        media.size_bytes = row.size_bytes;
    }
    media.filename = std::move(attachment.filename);
    return media;
}

Result<Sendable> MediaService::sendable(meta::Session& session,
                                        PartnerId partner,
                                        AttachmentId id) const {
    TRY(auto row, meta::find_own_attachment(session, id, partner, parts_.clock.now()));
    if (!row) return fail(reasons::attachment_not_found);
    CHECK(check_state(*row));
    TRY(Media media, describe(*row));
    return Sendable{std::move(*row), std::move(media)};
}

Async<Media> MediaService::prepare(const Sendable& sendable,
                                   Purpose purpose,
                                   MayConvert may_convert) {
    const auto form = delivery_form(canonical_type(sendable.row), purpose, parts_.delivery);
    if (!form || parts_.renditions == nullptr) co_return sendable.media;
    auto made = co_await parts_.renditions->get(sendable.row, *form, may_convert);
    if (made) co_return describe(sendable.row, std::move(*made));
    if (made.error().code == Errc::not_found) co_return fail(reasons::attachment_not_found);
    if (auto refusal = refusal_of(*form, made.error())) {
        co_return std::unexpected(std::move(*refusal));
    }
    co_return sendable.media;
}

Async<> MediaService::prepare(StagedMedia& staged, Purpose purpose, MayConvert may_convert) {
    const auto form = delivery_form(canonical_type(staged.row), purpose, parts_.delivery);
    if (!form || parts_.renditions == nullptr) co_return Result<>{};
    auto made = co_await parts_.renditions->stage(staged.row, *form, may_convert);
    if (made) {
        staged.rendition = std::move(*made);
        CO_TRY(staged.media, describe(staged.row, staged.rendition));
        co_return Result<>{};
    }
    if (auto refusal = refusal_of(*form, made.error())) {
        co_return std::unexpected(std::move(*refusal));
    }
    co_return Result<>{};
}

Result<> MediaService::mark_sent(meta::Session& session, const Sendable& sendable) const {
    const AttachmentId id = sendable.row.id;
    TRY(const auto row, meta::find_attachment(session, id, parts_.clock.now()));
    if (!row || row->partner != sendable.row.partner) return fail(reasons::attachment_not_found);
    CHECK(check_state(*row));
    if (row->blob != sendable.row.blob) {
        return fail(reasons::state_conflict, "The attachment was uploaded again. Send it again");
    }
    if (row->is_sent) return {};
    return meta::mark_sent(session, id);
}

Result<Tier> MediaService::take_tier(meta::Session& session,
                                     const Sendable& sendable,
                                     Tier line) const {
    const Time now = parts_.clock.now();
    TRY(const auto row, meta::find_attachment(session, sendable.row.id, now));
    if (!row) return fail(reasons::attachment_not_found);
    if (row->tier == Tier::ephemeral || line == Tier::persistent) return row->tier;
    // It would be gone before it was delivered, from every other message too.
    if (is_over(expires_at(Tier::ephemeral, row->created_at), now)) {
        return fail(reasons::state_conflict,
                    "The line is ephemeral and the attachment older than 24 hours. Upload the "
                    "file again and send the new attachment");
    }
    CHECK(meta::make_ephemeral(session, *row));
    return Tier::ephemeral;
}

void MediaService::show_tier(PartnerId partner, Tier tier, Time created_at, Media& media) const {
    Attachment attachment;
    attachment.id = media.id;
    attachment.partner = partner;
    attachment.filename = media.filename;
    attachment.tier = tier;
    media.url = parts_.urls.url_of(attachment, parts_.clock.now(), media.form);
    media.expires_at = expires_at(tier, created_at);
}

Result<std::vector<Part>> MediaService::resolve(meta::Session& session,
                                                const std::vector<meta::StoredPart>& parts) const {
    std::vector<Part> out;
    out.reserve(parts.size());
    for (const meta::StoredPart& part : parts) {
        if (const auto* text = std::get_if<TextPart>(&part)) {
            out.emplace_back(*text);
            continue;
        }
        if (const auto* link = std::get_if<LinkPart>(&part)) {
            out.emplace_back(*link);
            continue;
        }
        if (const auto* card = std::get_if<meta::StoredAppCard>(&part)) {
            AppCardPart shown{card->card, {}};
            if (card->image) {
                TRY(shown.image, find(session, {*card->image, {}}));
            }
            out.emplace_back(std::move(shown));
            continue;
        }
        MediaPart media;
        TRY(media.media, find(session, std::get<meta::StoredMedia>(part)));
        out.emplace_back(std::move(media));
    }
    return out;
}

void MediaService::sign_urls(PartnerId partner, std::vector<Part>& parts) const {
    for (Part& part : parts) {
        auto* const file = std::get_if<MediaPart>(&part);
        auto* const card = std::get_if<AppCardPart>(&part);
        std::optional<Media>* const media = file != nullptr   ? &file->media
                                            : card != nullptr ? &card->image
                                                              : nullptr;
        if (media == nullptr || !*media) continue;
        Attachment attachment;
        attachment.id = (*media)->id;
        attachment.partner = partner;
        attachment.filename = (*media)->filename;
        (*media)->url =
            parts_.urls.signed_download_url(attachment, parts_.clock.now(), (*media)->form);
    }
}

Result<std::optional<Media>> MediaService::find(meta::Session& session,
                                                const meta::StoredMedia& part) const {
    TRY(const auto row, meta::find_attachment(session, part.attachment, parts_.clock.now()));
    if (!row || row->state != AttachmentState::complete) return std::optional<Media>{};
    std::optional<meta::RenditionRow> rendition;
    if (!part.form.empty()) {
        TRY(rendition, meta::find_rendition(session, row->id, part.form, 0));
        // Never the original in its place: it may hold what was to be removed.
        if (!rendition) return std::optional<Media>{};
    }
    TRY(Media media, describe(*row, rendition));
    return std::optional<Media>{std::move(media)};
}

Result<std::optional<AttachmentId>> MediaService::own_reference(PartnerId partner,
                                                                std::string_view url) const {
    // Whoever owns the file needs no signature.
    const std::string permanent = parts_.urls.download_prefix();
    const std::string is_signed = parts_.urls.signed_download_prefix();
    const std::string& prefix = url.starts_with(permanent) ? permanent : is_signed;
    if (!url.starts_with(prefix)) return std::optional<AttachmentId>{};
    const std::string_view rest = url.substr(prefix.size());
    const auto owner = PartnerId::parse(rest.substr(0, 36));
    if (!owner || *owner != partner || rest.size() < 73 || rest[36] != '/') {
        return fail(reasons::attachment_not_found);
    }
    const auto id = AttachmentId::parse(rest.substr(37, 36));
    if (!id || (rest.size() > 73 && rest[73] != '/')) return fail(reasons::attachment_not_found);
    return id;
}

}  // namespace satchel
