// Bytes on their way into the store, before a row refers to them.
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/transfer_buffer.hpp"
#include "media/detect.hpp"
#include "media/judge.hpp"
#include "model/api_errors.hpp"
#include "model/filename.hpp"
#include "service/media_service.hpp"
#include "service/quota.hpp"
#include "service/stored_content.hpp"

#include <algorithm>
#include <array>

namespace satchel {
namespace {

constexpr std::string_view name_of_nameless = "attachment";

// What carriers bring is not held to the types that partners may send.
constexpr ContentTypePolicy liberal{.accept_webp_and_svg = true, .accept_former_types = true};

// Reads stored content from its beginning.
class ContentSource : public MediaSource {
public:
    explicit ContentSource(media::Content& content) : content_(content) {}
    Async<std::size_t> fill(std::span<std::byte> target) override {
        const auto left = content_.size() - offset_;
        const auto want = target.first(std::min<std::uint64_t>(left, target.size()));
        CO_TRY(const std::size_t filled, co_await content_.read_at(offset_, want));
        offset_ += filled;
        co_return filled;
    }

private:
    media::Content& content_;
    std::uint64_t offset_ = 0;
};

const Reason& reason_of(fetch::Failure failure) {
    switch (failure) {
        case fetch::Failure::bad_url:
            return reasons::invalid_parameter;
        case fetch::Failure::too_large:
            return reasons::file_too_large;
        case fetch::Failure::busy:
            return reasons::rate_limited;
        default:
            return reasons::media_fetch_failed;
    }
}

std::string_view extension_of(std::string_view name) {
    const auto dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

std::unexpected<Error> forbidden_content() {
    return fail(reasons::invalid_file_type,
                "The file's content is not supported: executables, FLAC and OGG are refused");
}

// What the recipient is told that it is. Never null: what contradicts a type was declared to be
// a known one.
Result<const ContentType*> type_of(const NewMedia& media,
                                   const media::Detected& detected,
                                   const ContentTypePolicy& policy) {
    if (media.type_source == TypeSource::fetched) {
        const auto judgement = media::judge_fetched(
            {.content_type = media.content_type, .extension = extension_of(media.filename)},
            detected, policy);
        CHECK(media::check_judgement(judgement));
        return judgement.type;
    }
    const auto judgement = media::judge(media.content_type, detected, liberal);
    if (judgement.outcome == media::Outcome::forbidden) return forbidden_content();
    if (judgement.type != nullptr) return judgement.type;
    return find_content_type(detected.type.empty() ? media.content_type : detected.type);
}

}  // namespace

bool may_come_back(const Error& failed_write) {
    return failed_write.code == Errc::unavailable && failed_write.reason == nullptr;
}

Async<std::size_t> BytesSource::fill(std::span<std::byte> target) {
    const std::size_t n = std::min(target.size(), bytes_.size());
    std::ranges::copy(bytes_.first(n), target.begin());
    bytes_ = bytes_.subspan(n);
    co_return n;
}

Async<StagedMedia> MediaService::stage_url(PartnerId partner, std::string url) {
    if (parts_.fetcher == nullptr) {
        co_return fail(reasons::media_fetch_failed, "Media by URL is switched off here");
    }
    auto fetched = co_await parts_.fetcher->get({.url = url,
                                                 .partner = partner.str(),
                                                 .bytes_max = limits::fetched_media_bytes_max,
                                                 .total_max = limits::media_fetch_max});
    if (!fetched) co_return std::unexpected(std::move(fetched).error());
    if (fetched->failure != fetch::Failure::none) {
        log::info("media_fetch_failed", {{"detail", fetched->detail}});
        if (fetched->failure == fetch::Failure::too_large) {
            co_return fail(reasons::file_too_large,
                           "The file at the URL is too large: at most " +
                               std::to_string(limits::fetched_media_bytes_max) +
                               " bytes. Upload it first and send its attachment_id");
        }
        co_return fail(reason_of(fetched->failure));
    }
    NewMedia media;
    media.partner = partner;
    media.filename = filename_in_url(fetched->final_url.empty() ? url : fetched->final_url);
    media.content_type = std::move(fetched->content_type);
    media.type_source = TypeSource::fetched;
    BytesSource source(fetched->body);
    co_return co_await stage(std::move(media), source);
}

Async<StagedMedia> MediaService::stage(NewMedia media, MediaSource& source) {
    StagedMedia staged;
    staged.is_asked_for = media.type_source == TypeSource::fetched;
    meta::AttachmentRow& row = staged.row;
    row.id = AttachmentId::random();
    row.partner = media.partner;
    row.state = AttachmentState::complete;
    row.created_at = parts_.clock.now();
    row.upload_expires_at = row.created_at;
    row.is_sent = true;
    row.blob = BlobId::random();
    const crypto::Key key = crypto::Key::random();
    crypto::WrappedKey wrapped = parts_.keys.wrap(row.id, key);
    row.wrapped_key = std::move(wrapped.bytes);
    row.key_version = wrapped.version;
    CO_TRY(row.size_bytes, co_await store(source, *row.blob, key));
    auto settled = co_await settle_type(staged, media, key);
    if (!settled) {
        ignore(co_await parts_.blobs.remove(*row.blob), "start-up removes it too");
        co_return std::unexpected(std::move(settled).error());
    }
    CO_TRY(staged.media, describe(row));
    co_return staged;
}

// Returns the size.
Async<std::uint64_t> MediaService::store(MediaSource& source, BlobId blob, const crypto::Key& key) {
    CO_TRY(auto writer, co_await parts_.blobs.create(blob, crypto::blob_key(key, blob)));
    // The last batch must be told from the others, so one is always read ahead.
    std::array<TransferBuffer, 2> buffers;
    std::size_t at = 0;
    const auto whole = [&buffers](std::size_t index) {
        return buffers[index % 2].bytes().first(limits::transfer_buffer_bytes);
    };
    CO_TRY(std::size_t filled, co_await source.fill(whole(at)));
    if (filled == 0) co_return fail(reasons::invalid_parameter, "A media file is empty");
    if (media::is_forbidden_head(whole(at).first(std::min(filled, media::sniff_bytes)))) {
        co_return forbidden_content();
    }
    std::uint64_t size = 0;
    while (true) {
        size += filled;
        if (size > limits::attachment_bytes_max) co_return fail(reasons::file_too_large);
        std::size_t next = 0;
        if (filled == whole(at).size()) {
            CO_TRY(next, co_await source.fill(whole(at + 1)));
        }
        const auto last = next == 0 ? blob::Last::yes : blob::Last::no;
        CO_CHECK(co_await writer->append(whole(at).first(filled), last));
        if (next == 0) break;
        ++at;
        filled = next;
    }
    CO_CHECK(co_await writer->commit());
    co_return size;
}

// By the stored bytes: type and name of the row.
Async<> MediaService::settle_type(StagedMedia& staged, NewMedia& media, const crypto::Key& key) {
    meta::AttachmentRow& row = staged.row;
    if (media.type_source == TypeSource::copied) {
        row.content_type = media.content_type;
        row.detected_type = media.content_type;
    } else {
        CO_TRY(const Findings findings,
               co_await parts_.inspector.inspect(*row.blob, crypto::blob_key(key, *row.blob),
                                                 row.size_bytes));
        if (findings.infection) {
            log::warn("content_infected", {{"found", *findings.infection}});
            co_return fail(reasons::invalid_file_type, "The file is infected");
        }
        CO_TRY(const ContentType* type, type_of(media, findings.detected, parts_.content_types));
        row.is_unscanned = findings.is_unscanned;
        row.content_type = type->name;
        row.detected_type = row.content_type;
        if (media.filename == name_of_nameless) {
            media.filename.append(".").append(type->extension);
        }
    }
    CO_CHECK(check_filename(media.filename));
    row.sealed_name =
        crypto::seal_once(crypto::name_key(key), row.id.bytes(), as_bytes(media.filename));
    co_return Result<>{};
}

Async<std::optional<StagedMedia>> MediaService::stage_copy(meta::StoredMedia from, PartnerId to) {
    struct Found {
        std::optional<meta::AttachmentRow> row;
        std::optional<meta::RenditionRow> rendition;
    };
    auto find = [from, now = parts_.clock.now()](meta::Session& session) -> Result<Found> {
        Found found;
        TRY(found.row, meta::find_attachment(session, from.attachment, now));
        if (!found.row || from.form.empty()) return found;
        TRY(found.rendition, meta::find_rendition(session, from.attachment, from.form, 0));
        if (!found.rendition) found.row.reset();
        return found;
    };
    CO_TRY(const Found found, co_await parts_.database.read(std::move(find)));
    if (!found.row || !found.row->blob) co_return std::optional<StagedMedia>{};
    CO_TRY(const crypto::Key key, key_of(*found.row));
    CO_TRY(const Media media, describe(*found.row, found.rendition));
    const BlobId blob = found.rendition ? found.rendition->blob : *found.row->blob;
    auto reader = co_await parts_.blobs.open(blob, crypto::blob_key(key, blob), media.size_bytes);
    if (!reader && reader.error().code == Errc::not_found) co_return std::optional<StagedMedia>{};
    if (!reader) co_return std::unexpected(std::move(reader).error());
    StoredContent content(std::move(*reader), media.size_bytes);
    ContentSource source(content);
    CO_TRY(auto staged, co_await stage({.partner = to,
                                        .filename = media.filename,
                                        .content_type = media.mime_type,
                                        .type_source = TypeSource::copied},
                                       source));
    co_return std::optional<StagedMedia>{std::move(staged)};
}

Result<> MediaService::keep(meta::Session& session, const StagedMedia& staged, Tier tier) const {
    meta::AttachmentRow row = staged.row;
    row.tier = tier;
    row.sweep_at = expires_at(tier, row.created_at);
    if (staged.is_asked_for) {
        CHECK(admit(session, parts_.quota, row.partner, row.size_bytes, row.state));
    }
    CHECK(meta::insert_attachment(session, row));
    if (!staged.rendition) return {};
    TRY([[maybe_unused]] const bool inserted,
        meta::insert_rendition(session, staged.row.id, *staged.row.blob, *staged.rendition));
    return {};
}

Async<> MediaService::confirm(const std::vector<StagedMedia>& staged) {
    for (const StagedMedia& each : staged) {
        ignore(co_await parts_.blobs.confirm(*each.row.blob), "start-up confirms it too");
        if (!each.rendition) continue;
        ignore(co_await parts_.blobs.confirm(each.rendition->blob), "start-up confirms it too");
    }
    co_return Result<>{};
}

Async<> MediaService::discard(const std::vector<StagedMedia>& staged) {
    for (const StagedMedia& each : staged) {
        ignore(co_await parts_.blobs.remove(*each.row.blob), "start-up removes it too");
        if (!each.rendition) continue;
        ignore(co_await parts_.blobs.remove(each.rendition->blob), "start-up removes it too");
    }
    co_return Result<>{};
}

}  // namespace satchel
