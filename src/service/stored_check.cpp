#include "service/stored_check.hpp"

#include "meta/renditions.hpp"
#include "model/content_type.hpp"

namespace satchel {

Async<std::optional<StoredProblem>> StoredCheck::check(meta::AttachmentRow first_look) {
    CO_TRY(auto verdict, co_await inspect(first_look));
    if (!verdict) co_return verdict;
    const AttachmentId id = first_look.id;
    CO_TRY(const auto again, co_await database_.read([id](meta::Session& session) {
        return meta::find_stored_attachment(session, id);
    }));
    if (!again) co_return Verdict{};
    co_return co_await inspect(*again);
}

Async<StoredCheck::Verdict> StoredCheck::inspect(const meta::AttachmentRow& row) {
    const auto key = keys_.unwrap(row.id, row.key_version, row.wrapped_key);
    if (!key) co_return StoredProblem{"corrupt_metadata", "its key cannot be unwrapped"};
    const auto name = crypto::open_once(crypto::name_key(*key), row.id.bytes(), row.sealed_name);
    if (!name) co_return StoredProblem{"corrupt_metadata", "its file name fails authentication"};
    if (find_content_type(row.content_type) == nullptr ||
        (!row.detected_type.empty() && find_content_type(row.detected_type) == nullptr)) {
        co_return StoredProblem{"corrupt_metadata", "its content type is none that there is"};
    }
    const bool has_bytes = row.blob.has_value();
    if (has_bytes != (row.state == AttachmentState::complete)) {
        co_return StoredProblem{"corrupt_metadata", "its state does not fit whether it has bytes"};
    }
    if (!has_bytes) co_return Verdict{};
    CO_TRY(auto verdict, co_await read_all(*row.blob, row.size_bytes, *key));
    if (verdict) co_return verdict;
    co_return co_await inspect_renditions(row.id, *key);
}

Async<StoredCheck::Verdict> StoredCheck::inspect_renditions(AttachmentId id,
                                                            const crypto::Key& attachment_key) {
    CO_TRY(const auto renditions, co_await database_.read([id](meta::Session& session) {
        return meta::renditions_of(session, id);
    }));
    for (const meta::RenditionRow& each : renditions) {
        CO_TRY(auto verdict, co_await read_all(each.blob, each.size_bytes, attachment_key));
        if (!verdict) continue;
        verdict->detail = "its rendition " + each.form + ": " + verdict->detail;
        co_return verdict;
    }
    co_return Verdict{};
}

// Whether every byte is there and authentic. An error is what says nothing about the bytes.
Async<StoredCheck::Verdict> StoredCheck::read_all(BlobId id,
                                                  std::uint64_t size,
                                                  const crypto::Key& attachment_key) {
    ++blobs_read_;
    const crypto::Key key = crypto::blob_key(attachment_key, id);
    const std::string blob = "blob " + id.str();
    auto reader = co_await blobs_.open(id, key, size);
    if (!reader && reader.error().code == Errc::not_found) {
        co_return StoredProblem{"missing_bytes", blob + " is not in the store"};
    }
    if (!reader && reader.error().code == Errc::corrupt) {
        co_return StoredProblem{"corrupt_bytes", blob + " has a wrong size or header"};
    }
    if (!reader) co_return std::unexpected(std::move(reader).error());
    for (std::uint64_t offset = 0; offset < size;) {
        auto batch = co_await (*reader)->read(offset, size - offset, buffer_.bytes());
        if (!batch && batch.error().code == Errc::corrupt) {
            co_return StoredProblem{
                "corrupt_bytes",
                blob + " fails authentication at or after byte " + std::to_string(offset)};
        }
        if (!batch) co_return std::unexpected(std::move(batch).error());
        ASSERT(batch->bytes > 0);
        offset += batch->bytes;
        bytes_ += batch->bytes;
        if (pace_ != nullptr) CO_CHECK(co_await pace_->after(batch->bytes));
    }
    co_return Verdict{};
}

}  // namespace satchel
