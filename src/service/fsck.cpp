#include "service/fsck.hpp"

#include "base/transfer_buffer.hpp"
#include "meta/attachments.hpp"
#include "meta/renditions.hpp"

#include <optional>
#include <unordered_set>

namespace satchel {
namespace {

constexpr std::size_t rows_per_page = 200;

// What is wrong with one row and its bytes.
struct Problem {
    std::string kind;
    std::string detail;
};
using Verdict = std::optional<Problem>;

class Checker {
public:
    Checker(meta::Database& database, blob::Store& blobs, const crypto::KeyRing& keys)
        : database_(database), blobs_(blobs), keys_(keys) {}

    Async<> check_rows();
    Async<> check_blobs(Repair repair);
    FsckReport take_report() { return std::move(report_); }

private:
    Async<> check_row(AttachmentId id, const meta::AttachmentRow& first_look);
    Async<Verdict> inspect(const meta::AttachmentRow& row);
    Async<Verdict> inspect_renditions(AttachmentId id, const crypto::Key& attachment_key);
    Async<Verdict> read_all(BlobId blob, std::uint64_t size, const crypto::Key& attachment_key);
    Async<std::vector<BlobId>> without_owner(const std::vector<BlobId>& blobs);
    void report(std::string kind, std::string subject, std::string detail, bool repaired);

    meta::Database& database_;
    blob::Store& blobs_;
    const crypto::KeyRing& keys_;
    TransferBuffer buffer_;
    FsckReport report_;
};

void Checker::report(std::string kind, std::string subject, std::string detail, bool repaired) {
    report_.findings.push_back({std::move(kind), std::move(subject), std::move(detail), repaired});
}

Async<> Checker::check_rows() {
    AttachmentId after;
    while (true) {
        CO_TRY(const auto page, co_await database_.read([after](meta::Session& session) {
            return meta::attachments_after(session, after, rows_per_page);
        }));
        if (page.empty()) co_return Result<>{};
        for (const auto& row : page) {
            ++report_.attachments;
            CO_CHECK(co_await check_row(row.id, row));
        }
        after = page.back().id;
    }
}

// A row that looks wrong is read again: a running server may have replaced or deleted it.
Async<> Checker::check_row(AttachmentId id, const meta::AttachmentRow& first_look) {
    CO_TRY(auto verdict, co_await inspect(first_look));
    if (!verdict) co_return Result<>{};
    CO_TRY(const auto again, co_await database_.read([id](meta::Session& session) {
        return meta::find_stored_attachment(session, id);
    }));
    if (!again) co_return Result<>{};
    CO_TRY(verdict, co_await inspect(*again));
    if (verdict) report(verdict->kind, id.str(), verdict->detail, false);
    co_return Result<>{};
}

Async<Verdict> Checker::inspect(const meta::AttachmentRow& row) {
    const auto key = keys_.unwrap(row.id, row.key_version, row.wrapped_key);
    if (!key) co_return Problem{"corrupt_metadata", "its key cannot be unwrapped"};
    const auto name = crypto::open_once(crypto::name_key(*key), row.id.bytes(), row.sealed_name);
    if (!name) co_return Problem{"corrupt_metadata", "its file name fails authentication"};
    const bool has_bytes = row.blob.has_value();
    if (has_bytes != (row.state == AttachmentState::complete)) {
        co_return Problem{"corrupt_metadata", "its state does not fit whether it has bytes"};
    }
    if (!has_bytes) co_return Verdict{};
    CO_TRY(auto verdict, co_await read_all(*row.blob, row.size_bytes, *key));
    if (verdict) co_return verdict;
    co_return co_await inspect_renditions(row.id, *key);
}

Async<Verdict> Checker::inspect_renditions(AttachmentId id, const crypto::Key& attachment_key) {
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
Async<Verdict> Checker::read_all(BlobId id, std::uint64_t size, const crypto::Key& attachment_key) {
    const crypto::Key key = crypto::blob_key(attachment_key, id);
    const std::string blob = "blob " + id.str();
    auto reader = co_await blobs_.open(id, key, size);
    if (!reader && reader.error().code == Errc::not_found) {
        co_return Problem{"missing_bytes", blob + " is not in the store"};
    }
    if (!reader && reader.error().code == Errc::corrupt) {
        co_return Problem{"corrupt_bytes", blob + " has a wrong size or header"};
    }
    if (!reader) co_return std::unexpected(std::move(reader).error());
    for (std::uint64_t offset = 0; offset < size;) {
        auto batch = co_await (*reader)->read(offset, size - offset, buffer_.bytes());
        if (!batch && batch.error().code == Errc::corrupt) {
            co_return Problem{"corrupt_bytes", blob + " fails authentication at or after byte " +
                                                   std::to_string(offset)};
        }
        if (!batch) co_return std::unexpected(std::move(batch).error());
        ASSERT(batch->bytes > 0);
        offset += batch->bytes;
        report_.bytes += batch->bytes;
    }
    co_return Verdict{};
}

Async<std::vector<BlobId>> Checker::without_owner(const std::vector<BlobId>& blobs) {
    std::vector<BlobId> found;
    for (const BlobId blob : blobs) {
        CO_TRY(const auto owner, co_await database_.read([blob](meta::Session& session) {
            return meta::owner_of_blob(session, blob);
        }));
        if (!owner) found.push_back(blob);
    }
    co_return found;
}

// A stray had no owner in two looks at the database and was in the store both times: what a
// running server removes meanwhile is gone at the second look, what it adds has an owner.
Async<> Checker::check_blobs(Repair repair) {
    CO_TRY(const auto first, co_await blobs_.list());
    report_.blobs = first.blobs.size();
    CO_TRY(const auto suspects, co_await without_owner(first.blobs));
    if (suspects.empty() && first.unknown.empty()) co_return Result<>{};

    CO_TRY(const auto second, co_await blobs_.list());
    const std::unordered_set<std::string> still_there(second.unknown.begin(), second.unknown.end());
    for (const auto& name : first.unknown) {
        if (!still_there.contains(name)) continue;
        report("unknown_file", name, "it is no blob; remove it by hand if you know it", false);
    }
    const std::unordered_set<BlobId, IdHash> present(second.blobs.begin(), second.blobs.end());
    CO_TRY(const auto strays, co_await without_owner(suspects));
    for (const BlobId stray : strays) {
        if (!present.contains(stray)) continue;
        if (repair == Repair::yes) CO_CHECK(co_await blobs_.remove(stray));
        report("stray_blob", stray.str(),
               repair == Repair::yes ? "no attachment had it; removed" : "no attachment has it",
               repair == Repair::yes);
    }
    if (repair == Repair::yes) CO_CHECK(co_await blobs_.sync_removals());
    co_return Result<>{};
}

}  // namespace

Async<FsckReport> fsck(meta::Database& database,
                       blob::Store& blobs,
                       const crypto::KeyRing& keys,
                       Repair repair) {
    Checker checker(database, blobs, keys);
    CO_CHECK(co_await checker.check_rows());
    CO_CHECK(co_await checker.check_blobs(repair));
    co_return checker.take_report();
}

}  // namespace satchel
