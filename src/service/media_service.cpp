#include "service/media_service.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/transfer_buffer.hpp"
#include "media/forbidden_content.hpp"
#include "model/api_errors.hpp"
#include "model/filename.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace satchel {
namespace {

// A lapsed upload failed at upload_expires_at, a forbidden one when
// its bytes came, which is before.
bool has_lapsed(const meta::AttachmentRow& row) {
    return row.sweep_at && *row.sweep_at >= row.upload_expires_at + limits::failed_row_life;
}

Result<> check_state(const meta::AttachmentRow& row) {
    if (row.state == AttachmentState::complete && row.blob) return {};
    if (row.state == AttachmentState::pending) return fail(reasons::attachment_not_ready);
    if (has_lapsed(row)) {
        return fail(reasons::attachment_not_ready,
                    "Attachment not ready: its upload window is over. Create a new attachment");
    }
    return fail(reasons::invalid_file_type,
                "The attachment's content is not supported: executables, FLAC and OGG are refused");
}

// Reads a stored blob from its beginning.
class BlobSource : public MediaSource {
public:
    BlobSource(std::unique_ptr<blob::Reader> reader, std::uint64_t size)
        : reader_(std::move(reader)), size_(size), buffer_(blob::read_buffer_bytes) {}

    Async<std::size_t> fill(std::span<std::byte> target) override {
        std::size_t filled = 0;
        while (filled < target.size() && offset_ < size_) {
            const auto want = std::min<std::uint64_t>(size_ - offset_, target.size() - filled);
            CO_TRY(const blob::Batch batch, co_await reader_->read(offset_, want, buffer_));
            for (const ByteView piece : std::span(batch.pieces).first(batch.count)) {
                std::memcpy(target.data() + filled, piece.data(), piece.size());
                filled += piece.size();
            }
            offset_ += batch.bytes;
        }
        co_return filled;
    }

private:
    std::unique_ptr<blob::Reader> reader_;
    std::uint64_t size_;
    std::uint64_t offset_ = 0;
    Bytes buffer_;
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

// The last segment of the URL's path, without its escapes; "attachment" without one.
std::string name_in(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    const auto host = url.find("://");
    if (host != std::string_view::npos) url.remove_prefix(host + 3);
    const auto slash = url.rfind('/');
    if (slash == std::string_view::npos || slash + 1 == url.size()) return "attachment";
    std::string name;
    const std::string_view segment = url.substr(slash + 1);
    for (std::size_t i = 0; i < segment.size(); ++i) {
        const auto byte = segment[i] == '%' && i + 2 < segment.size()
                              ? from_hex(segment.substr(i + 1, 2))
                              : std::nullopt;
        if (byte && !byte->empty()) {
            name += static_cast<char>(byte->front());
            i += 2;
        } else {
            name += segment[i];
        }
    }
    return name;
}

// By the answer's Content-Type, else by the name's extension.
Result<const ContentType*> type_of(std::string_view answered,
                                   std::string_view name,
                                   const ContentTypePolicy& policy) {
    if (auto type = check_content_type(answered, policy)) return type;
    const auto dot = name.rfind('.');
    const std::string_view extension =
        dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
    for (const ContentType& type : content_types()) {
        if (!extension.empty() && type.extension == extension) {
            return check_content_type(type.name, policy);
        }
    }
    return fail(reasons::invalid_file_type,
                "The URL's file is of no supported type. Serve it with a supported Content-Type");
}

}  // namespace

std::string delivered_type(std::string_view content_type) {
    const ContentType* type = find_content_type(content_type);
    if (type == nullptr) return std::string(content_type);
    // These would have to be converted; a label alone would lie.
    const bool needs_conversion = type->name == "audio/x-caf" || type->name == "image/tiff";
    return std::string(needs_conversion ? type->name : type->delivered);
}

Async<std::size_t> BytesSource::fill(std::span<std::byte> target) {
    const std::size_t n = std::min(target.size(), bytes_.size());
    std::ranges::copy(bytes_.first(n), target.begin());
    bytes_ = bytes_.subspan(n);
    co_return n;
}

Result<crypto::Key> MediaService::key_of(const meta::AttachmentRow& row) const {
    return parts_.keys.unwrap(row.id, row.key_version, row.wrapped_key);
}

Result<Media> MediaService::describe(const meta::AttachmentRow& row) const {
    TRY(const crypto::Key key, key_of(row));
    TRY(const Bytes name,
        crypto::open_once(crypto::name_key(key), row.id.bytes(), row.sealed_name));
    Attachment attachment;
    attachment.id = row.id;
    attachment.partner = row.partner;
    attachment.filename = as_text(name);
    Media media;
    media.id = row.id;
    media.url = parts_.urls.download_url(attachment);
    media.filename = std::move(attachment.filename);
    media.mime_type = delivered_type(row.content_type);
    media.size_bytes = row.size_bytes;
    return media;
}

Result<Media> MediaService::sendable(meta::Session& session,
                                     PartnerId partner,
                                     AttachmentId id) const {
    TRY(const auto row, meta::find_attachment(session, id));
    if (!row || row->partner != partner) return fail(reasons::attachment_not_found);
    CHECK(check_state(*row));
    return describe(*row);
}

Result<> MediaService::mark_sent(meta::Session& session, PartnerId partner, AttachmentId id) const {
    TRY(const auto row, meta::find_attachment(session, id));
    if (!row || row->partner != partner) return fail(reasons::attachment_not_found);
    CHECK(check_state(*row));
    if (row->is_sent) return {};
    return meta::mark_sent(session, id);
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
                TRY(shown.image, find(session, *card->image));
            }
            out.emplace_back(std::move(shown));
            continue;
        }
        MediaPart media;
        TRY(media.media, find(session, std::get<AttachmentId>(part)));
        out.emplace_back(std::move(media));
    }
    return out;
}

Result<std::optional<Media>> MediaService::find(meta::Session& session, AttachmentId id) const {
    TRY(const auto row, meta::find_attachment(session, id));
    if (!row || row->state != AttachmentState::complete) return std::optional<Media>{};
    TRY(Media media, describe(*row));
    return std::optional<Media>{std::move(media)};
}

Result<std::optional<AttachmentId>> MediaService::own_reference(PartnerId partner,
                                                                std::string_view url) const {
    const std::string prefix = parts_.urls.download_prefix();
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
    media.filename = name_in(fetched->final_url.empty() ? url : fetched->final_url);
    CO_TRY(const ContentType* type,
           type_of(fetched->content_type, media.filename, parts_.content_types));
    media.content_type = type->name;
    if (media.filename == "attachment") media.filename += "." + std::string(type->extension);
    CO_CHECK(check_filename(media.filename));
    BytesSource source(fetched->body);
    co_return co_await stage(std::move(media), source);
}

Async<StagedMedia> MediaService::stage(NewMedia media, MediaSource& source) {
    StagedMedia staged;
    meta::AttachmentRow& row = staged.row;
    row.id = AttachmentId::random();
    row.partner = media.partner;
    row.content_type = std::move(media.content_type);
    row.state = AttachmentState::complete;
    row.created_at = parts_.clock.now();
    row.upload_expires_at = row.created_at;
    row.is_sent = true;
    row.blob = BlobId::random();
    const crypto::Key key = crypto::Key::random();
    row.wrapped_key = parts_.keys.wrap(row.id, key);
    row.key_version = parts_.keys.version();
    row.sealed_name =
        crypto::seal_once(crypto::name_key(key), row.id.bytes(), as_bytes(media.filename));

    CO_TRY(auto writer, co_await parts_.blobs.create(*row.blob, crypto::blob_key(key, *row.blob)));
    // The last batch must be told from the others, so one is always read ahead.
    std::array<TransferBuffer, 2> buffers;
    std::size_t at = 0;
    const auto whole = [&buffers](std::size_t index) {
        return buffers[index % 2].bytes().first(limits::transfer_buffer_bytes);
    };
    CO_TRY(std::size_t filled, co_await source.fill(whole(at)));
    if (filled == 0) co_return fail(reasons::invalid_parameter, "A media file is empty");
    if (media::is_forbidden_content(whole(at).first(std::min(filled, media::sniff_bytes)))) {
        co_return fail(
            reasons::invalid_file_type,
            "The file's content is not supported: executables, FLAC and OGG are refused");
    }
    while (true) {
        row.size_bytes += filled;
        if (row.size_bytes > limits::attachment_bytes_max) co_return fail(reasons::file_too_large);
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
    CO_TRY(staged.media, describe(row));
    co_return staged;
}

Async<std::optional<StagedMedia>> MediaService::stage_copy(AttachmentId from, PartnerId to) {
    auto find = [from](meta::Session& session) { return meta::find_attachment(session, from); };
    CO_TRY(const auto row, co_await parts_.database.read(find));
    if (!row || !row->blob) co_return std::optional<StagedMedia>{};
    CO_TRY(const crypto::Key key, key_of(*row));
    CO_TRY(const Media media, describe(*row));
    auto reader =
        co_await parts_.blobs.open(*row->blob, crypto::blob_key(key, *row->blob), row->size_bytes);
    if (!reader && reader.error().code == Errc::not_found) co_return std::optional<StagedMedia>{};
    if (!reader) co_return std::unexpected(std::move(reader).error());
    BlobSource source(std::move(*reader), row->size_bytes);
    CO_TRY(auto staged,
           co_await stage(
               {.partner = to, .filename = media.filename, .content_type = row->content_type},
               source));
    co_return std::optional<StagedMedia>{std::move(staged)};
}

Result<> MediaService::keep(meta::Session& session, const StagedMedia& staged) const {
    return meta::insert_attachment(session, staged.row);
}

Async<> MediaService::confirm(const std::vector<StagedMedia>& staged) {
    for (const StagedMedia& each : staged) {
        ignore(co_await parts_.blobs.confirm(*each.row.blob), "start-up confirms it too");
    }
    co_return Result<>{};
}

Async<> MediaService::discard(const std::vector<StagedMedia>& staged) {
    for (const StagedMedia& each : staged) {
        ignore(co_await parts_.blobs.remove(*each.row.blob), "start-up removes it too");
    }
    co_return Result<>{};
}

}  // namespace satchel
