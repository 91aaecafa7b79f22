#include "service/attachment_service.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/transfer_buffer.hpp"
#include "media/detect.hpp"
#include "media/judge.hpp"
#include "meta/ownership.hpp"
#include "meta/partners.hpp"
#include "model/api_errors.hpp"
#include "model/filename.hpp"
#include "service/quota.hpp"

namespace satchel {
namespace {

Result<std::uint64_t> check_size(std::int64_t size_bytes) {
    if (size_bytes < 1) {
        return fail(reasons::invalid_parameter, "size_bytes must be at least 1");
    }
    const auto size = static_cast<std::uint64_t>(size_bytes);
    if (size > limits::attachment_bytes_max) {
        return fail(reasons::file_too_large,
                    "size_bytes must not exceed " + std::to_string(limits::attachment_bytes_max));
    }
    return size;
}

Attachment to_attachment(const meta::AttachmentRow& row) {
    Attachment attachment;
    attachment.id = row.id;
    attachment.partner = row.partner;
    attachment.content_type = row.content_type;
    attachment.size_bytes = row.size_bytes;
    attachment.state = row.state;
    attachment.tier = row.tier;
    attachment.created_at = row.created_at;
    attachment.upload_expires_at = row.upload_expires_at;
    attachment.blob = row.blob;
    return attachment;
}

Result<std::string> open_name(const crypto::Key& attachment_key, const meta::AttachmentRow& row) {
    TRY(const Bytes name,
        crypto::open_once(crypto::name_key(attachment_key), row.id.bytes(), row.sealed_name));
    return std::string(as_text(name));
}

// Digests that the client announced, fed as the bytes come.
class Digests {
public:
    using Expected = std::vector<std::pair<crypto::DigestKind, Bytes>>;
    explicit Digests(const Expected& expected) : expected_(expected) {
        for (const auto& [kind, value] : expected_) running_.emplace_back(kind);
    }
    void update(ByteView bytes) {
        for (auto& digest : running_) digest.update(bytes);
    }
    bool all_fit() {
        for (std::size_t i = 0; i < running_.size(); ++i) {
            if (running_[i].finish() != expected_[i].second) return false;
        }
        return true;
    }

private:
    const Expected& expected_;
    std::vector<crypto::Digest> running_;
};

UploadRefusal refusal_of(const Error& body_error) {
    return body_error.code == Errc::timed_out ? UploadRefusal::stalled
                                              : UploadRefusal::incomplete_body;
}

std::unexpected<Error> refused(UploadRefusal& refusal, UploadRefusal why) {
    refusal = why;
    return fail(Errc::invalid_argument, "upload refused");
}

struct Received {
    bool forbidden = false;
};

// Pulls the whole body into `writer`, unless its beginning is forbidden: then it is only read.
Async<Received> receive(http::Body& body,
                        std::uint64_t size,
                        blob::Writer& writer,
                        Digests& digests,
                        UploadRefusal& refusal) {
    TransferBuffer buffer;
    Received received;
    for (std::uint64_t done = 0; done < size;) {
        const auto want = std::min<std::uint64_t>(size - done, limits::transfer_buffer_bytes);
        const auto part = buffer.bytes().first(static_cast<std::size_t>(want));
        const auto filled = co_await body.fill(part);
        if (!filled) co_return refused(refusal, refusal_of(filled.error()));
        if (*filled < part.size()) co_return refused(refusal, UploadRefusal::incomplete_body);
        if (done == 0) {
            const std::size_t head = std::min(part.size(), media::sniff_bytes);
            received.forbidden = media::is_forbidden_head(part.first(head));
        }
        digests.update(part);
        done += want;
        if (!received.forbidden) {
            const auto last = done == size ? blob::Last::yes : blob::Last::no;
            CO_CHECK(co_await writer.append(part, last));
        }
    }
    co_return received;
}

Async<std::optional<meta::AttachmentRow>> find_own(meta::Database& database,
                                                   PartnerId partner,
                                                   AttachmentId id,
                                                   Time now) {
    auto find = [partner, id, now](meta::Session& session) {
        return meta::find_own_attachment(session, id, partner, now);
    };
    co_return co_await database.read(find);
}

}  // namespace

std::string etag_of(const BlobId& blob) {
    return '"' + to_hex(blob.bytes()) + '"';
}

Async<Attachment> AttachmentService::create(PartnerId partner, CreateAttachment command) {
    CO_CHECK(check_filename(command.filename));
    CO_CHECK(check_content_type(command.content_type, parts_.content_types));
    CO_TRY(const std::uint64_t size, check_size(command.size_bytes));

    meta::AttachmentRow row;
    row.id = AttachmentId::random();
    row.partner = partner;
    row.content_type = std::move(command.content_type);
    row.size_bytes = size;
    row.created_at = parts_.clock.now();
    // The signature counts whole seconds from the one the upload was asked for in.
    row.upload_expires_at =
        std::chrono::floor<std::chrono::seconds>(row.created_at) + limits::upload_window;
    row.sweep_at = row.upload_expires_at;
    const crypto::Key key = crypto::Key::random();
    crypto::WrappedKey wrapped = parts_.keys.wrap(row.id, key);
    row.wrapped_key = std::move(wrapped.bytes);
    row.key_version = wrapped.version;
    row.sealed_name =
        crypto::seal_once(crypto::name_key(key), row.id.bytes(), as_bytes(command.filename));

    Attachment attachment = to_attachment(row);
    attachment.filename = std::move(command.filename);
    auto insert = [row = std::move(row),
                   quota = parts_.quota](meta::Session& session) mutable -> Result<Tier> {
        CHECK(admit(session, quota, row.partner, row.size_bytes, row.state));
        TRY(row.tier, meta::tier_of_partner(session, row.partner));
        CHECK(meta::insert_attachment(session, row));
        return row.tier;
    };
    CO_TRY(attachment.tier, co_await parts_.database.write(std::move(insert)));
    co_return attachment;
}

Async<std::optional<meta::AttachmentRow>> AttachmentService::find_row(AttachmentId id) {
    auto find = [id, now = parts_.clock.now()](meta::Session& session) {
        return meta::find_attachment(session, id, now);
    };
    co_return co_await parts_.database.read(find);
}

Async<Attachment> AttachmentService::find(PartnerId partner, AttachmentId id) {
    CO_TRY(const auto row, co_await find_own(parts_.database, partner, id, parts_.clock.now()));
    if (!row) co_return fail(reasons::attachment_not_found);
    CO_TRY(const crypto::Key key, parts_.keys.unwrap(id, row->key_version, row->wrapped_key));
    Attachment attachment = to_attachment(*row);
    CO_TRY(attachment.filename, open_name(key, *row));
    attachment.state = state_at(attachment, parts_.clock.now());
    co_return attachment;
}

Result<Downloadable> AttachmentService::downloadable(
    const meta::AttachmentRow& row, const std::optional<meta::RenditionRow>& rendition) const {
    TRY(const crypto::Key key, parts_.keys.unwrap(row.id, row.key_version, row.wrapped_key));
    Downloadable found{to_attachment(row), {}};
    TRY(found.attachment.filename, open_name(key, row));
    if (rendition) {
        Attachment& attachment = found.attachment;
        attachment.content_type = rendition->content_type;
        attachment.size_bytes = rendition->size_bytes;
        attachment.blob = rendition->blob;
        const ContentType* type = find_content_type(rendition->content_type);
        if (type != nullptr) {
            attachment.filename = with_extension(attachment.filename, type->extension);
        }
    }
    found.blob_key = crypto::blob_key(key, *found.attachment.blob);
    return found;
}

Async<Downloadable> AttachmentService::find_for_download(PartnerId partner,
                                                         AttachmentId id,
                                                         std::string form,
                                                         UrlKind kind) {
    struct Found {
        std::optional<meta::AttachmentRow> row;
        std::optional<meta::RenditionRow> rendition;
    };
    auto find = [partner, id, form,
                 now = parts_.clock.now()](meta::Session& session) -> Result<Found> {
        Found found;
        TRY(found.row, meta::find_own_attachment(session, id, partner, now));
        if (form.empty() || !found.row) return found;
        TRY(found.rendition, meta::find_rendition(session, id, form, 0));
        return found;
    };
    CO_TRY(const Found found, co_await parts_.database.read(std::move(find)));
    const auto& row = found.row;
    const bool is_there = row && row->blob && row->state == AttachmentState::complete;
    const bool needs_signature = row && row->tier == Tier::ephemeral;
    if (!is_there || (needs_signature && kind != UrlKind::is_signed) ||
        (!form.empty() && !found.rendition)) {
        co_return fail(reasons::attachment_not_found);
    }
    co_return downloadable(*row, found.rendition);
}

Async<Downloadable> AttachmentService::find_preview(PartnerId partner,
                                                    AttachmentId id,
                                                    std::uint32_t width) {
    if (parts_.previews == nullptr) co_return fail(reasons::feature_not_available);
    CO_TRY(const auto row, co_await find_own(parts_.database, partner, id, parts_.clock.now()));
    if (!row) co_return fail(reasons::attachment_not_found);
    if (row->state == AttachmentState::pending) co_return fail(reasons::attachment_not_ready);
    if (!row->blob) co_return fail(reasons::invalid_file_type);
    const ContentType* type =
        find_content_type(row->detected_type.empty() ? row->content_type : row->detected_type);
    const bool is_sound = type != nullptr && type->name.starts_with("audio/");
    const WantedForm wanted{.form = is_sound ? media::Form::waveform : media::Form::preview,
                            .width = is_sound ? 0 : width};
    auto rendition = co_await parts_.previews->get(*row, wanted);
    if (rendition) co_return downloadable(*row, std::move(*rendition));
    switch (rendition.error().code) {
        case Errc::not_found:
            co_return fail(reasons::attachment_not_found);
        case Errc::unavailable:
        case Errc::timed_out:
            co_return fail(reasons::overloaded, "No preview can be made just now. Try again later");
        case Errc::invalid_argument:
        case Errc::corrupt:
        case Errc::too_large:
            co_return fail(reasons::invalid_file_type, "No preview can be made of this file");
        default:
            co_return std::unexpected(std::move(rendition).error());
    }
}

Async<std::unique_ptr<DownloadReader>> AttachmentService::open(const Downloadable& found) {
    const Attachment& attachment = found.attachment;
    ASSERT(attachment.blob.has_value());
    // Known before it is opened: a delete that does not find it has unlinked the bytes.
    auto download = std::make_unique<DownloadReader>(parts_.downloads, *attachment.blob);
    auto reader =
        co_await parts_.blobs.open(*attachment.blob, found.blob_key, attachment.size_bytes);
    if (reader) {
        download->begin(std::move(*reader));
        co_return std::move(download);
    }
    if (reader.error().code == Errc::not_found) {
        // Gone because it was deleted or replaced just now, or because the store lost it?
        CO_TRY(const auto row, co_await find_row(attachment.id));
        if (!row || row->blob != attachment.blob) co_return fail(reasons::attachment_not_found);
        log::error("blob_missing", {{"attachment_id", attachment.id.str()}});
    }
    Error error = std::move(reader).error();
    error.reason = &reasons::file_download_failed;
    co_return std::unexpected(std::move(error));
}

Async<StoredAttachment> AttachmentService::store(StoreUpload command,
                                                 http::Body& body,
                                                 UploadRefusal& refusal) {
    refusal = UploadRefusal::none;
    CO_TRY(const auto row, co_await find_row(command.attachment));
    if (!row) co_return refused(refusal, UploadRefusal::no_such_upload);
    if (row->is_sent) co_return refused(refusal, UploadRefusal::already_sent);
    if (row->size_bytes != command.content_length) {
        co_return refused(refusal, UploadRefusal::incomplete_body);
    }
    CO_TRY(const crypto::Key key, parts_.keys.unwrap(row->id, row->key_version, row->wrapped_key));

    const BlobId blob = BlobId::random();
    CO_TRY(auto writer, co_await parts_.blobs.create(blob, crypto::blob_key(key, blob)));
    Digests digests(command.expected);
    CO_TRY(const Received received,
           co_await receive(body, row->size_bytes, *writer, digests, refusal));
    if (!digests.all_fit()) co_return refused(refusal, UploadRefusal::bad_digest);

    meta::StoredUpload upload{.id = row->id, .state = AttachmentState::complete, .blob = blob};
    bool is_refused = received.forbidden;
    if (!is_refused) {
        CO_CHECK(co_await writer->commit());
        const auto looked = co_await look(*row, key, upload);
        if (!looked || *looked == Acceptable::no) {
            ignore(co_await parts_.blobs.remove(blob), "start-up removes it too");
        }
        if (!looked) co_return std::unexpected(looked.error());
        is_refused = *looked == Acceptable::no;
    }
    if (is_refused) {
        writer.reset();
        upload.state = AttachmentState::failed;
        upload.blob.reset();
        upload.sweep_at = parts_.clock.now() + limits::failed_row_life;
        log::info("content_forbidden", {{"attachment_id", row->id.str()}});
    }

    struct Stored {
        meta::UploadStored outcome{};
        std::vector<BlobId> replaced;
    };
    auto record = [upload, quota = parts_.quota](meta::Session& session) -> Result<Stored> {
        if (upload.blob) CHECK(admit_again(session, quota, upload.id));
        Stored stored;
        TRY(stored.outcome, meta::store_upload(session, upload, stored.replaced));
        return stored;
    };
    const auto stored = co_await parts_.database.write(std::move(record));
    if (!stored && stored.error().reason == &reasons::quota_exceeded) {
        ignore(co_await parts_.blobs.remove(blob), "start-up removes it too");
        co_return refused(refusal, UploadRefusal::over_quota);
    }
    if (!stored) {
        if (upload.blob) {
            const std::lock_guard lock(doubtful_mutex_);
            doubtful_.push_back(blob);
        }
        co_return std::unexpected(stored.error());
    }
    if (stored->outcome != meta::UploadStored::yes) {
        if (upload.blob) {
            ignore(co_await parts_.blobs.remove(blob), "start-up removes it too");
        }
        co_return refused(refusal, stored->outcome == meta::UploadStored::already_sent
                                       ? UploadRefusal::already_sent
                                       : UploadRefusal::no_such_upload);
    }
    if (upload.blob) {
        ignore(co_await parts_.blobs.confirm(blob), "start-up confirms it too");
    }
    for (const BlobId replaced : stored->replaced) {
        ignore(co_await parts_.blobs.remove(replaced), "the sweeper removes it too");
    }
    co_return StoredAttachment{etag_of(blob)};
}

// What the stored bytes are: contract section 10.17. They show their kind when they are sent.
Async<AttachmentService::Acceptable> AttachmentService::look(const meta::AttachmentRow& row,
                                                             const crypto::Key& key,
                                                             meta::StoredUpload& upload) {
    CO_TRY(const Findings findings,
           co_await parts_.inspector.inspect(*upload.blob, crypto::blob_key(key, *upload.blob),
                                             row.size_bytes));
    if (findings.infection) {
        log::warn("content_infected",
                  {{"attachment_id", row.id.str()}, {"found", *findings.infection}});
        co_return Acceptable::no;
    }
    const media::Judgement judgement =
        media::judge(row.content_type, findings.detected, parts_.content_types);
    if (judgement.outcome == media::Outcome::forbidden) co_return Acceptable::no;
    upload.contradicts_type = judgement.outcome == media::Outcome::contradicts;
    upload.is_unscanned = findings.is_unscanned;
    if (judgement.type != nullptr) upload.detected_type = judgement.type->name;
    co_return Acceptable::yes;
}

Async<> AttachmentService::recover() {
    CO_TRY(const auto unconfirmed, co_await parts_.blobs.unconfirmed());
    for (const BlobId blob : unconfirmed) CO_CHECK(co_await settle(blob));
    co_return Result<>{};
}

// Keeps a blob that a row refers to and removes any other. One that cannot be moved or removed
// is no reason not to start: it is logged, and found again at the next start.
Async<> AttachmentService::settle(BlobId blob) {
    auto find_owner = [blob](meta::Session& session) { return meta::owner_of_blob(session, blob); };
    CO_TRY(const auto owner, co_await parts_.database.read(find_owner));
    const auto settled =
        owner ? co_await parts_.blobs.confirm(blob) : co_await parts_.blobs.remove(blob);
    if (!settled) {
        log::error("blob_not_settled", {{"blob", blob.str()}, {"detail", settled.error().detail}});
    }
    co_return Result<>{};
}

// A write that succeeds shows that no earlier failed commit can come back.
Async<std::size_t> AttachmentService::settle_doubtful() {
    std::vector<BlobId> blobs;
    {
        const std::lock_guard lock(doubtful_mutex_);
        blobs.swap(doubtful_);
    }
    if (blobs.empty()) co_return std::size_t{0};
    auto nothing = [](meta::Session&) -> Result<> { return {}; };
    const auto wrote = co_await parts_.database.write(nothing, meta::Erases::yes);
    if (!wrote) {
        const std::lock_guard lock(doubtful_mutex_);
        doubtful_.insert(doubtful_.end(), blobs.begin(), blobs.end());
        co_return std::unexpected(wrote.error());
    }
    for (const BlobId blob : blobs) CO_CHECK(co_await settle(blob));
    co_return blobs.size();
}

}  // namespace satchel
