#include "service/deletion_service.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "model/api_errors.hpp"

#include <algorithm>

namespace satchel {

Async<> DeletionService::remove(PartnerId partner, AttachmentId id, DeletionReason reason) {
    // Most calls for an id that is not there, or not theirs, end here, for the same price.
    auto find = [id, now = parts_.clock.now()](meta::Session& session) {
        return meta::find_attachment(session, id, now);
    };
    CO_TRY(const auto row, co_await parts_.database.read(find));
    if (!row || row->partner != partner) co_return fail(reasons::attachment_not_found);

    meta::AuditEntry entry{parts_.clock.now(), partner, id, std::move(reason.cause),
                           std::move(reason.actor)};
    auto remove_row = [entry = std::move(entry)](meta::Session& session) {
        return meta::remove_attachment(session, entry);
    };
    const auto removed = co_await parts_.database.write(std::move(remove_row), meta::Erases::yes);
    if (!removed) {
        if (removed.error().code != Errc::timed_out) co_return std::unexpected(removed.error());
        // The row is gone; what is left of it in the log will be. The bytes go now.
        if (row->blob) ignore(co_await parts_.blobs.remove(*row->blob), "the sweeper removes it");
        co_return fail(reasons::overloaded, "The attachment is deleted; its traces are not yet");
    }
    if (!*removed) co_return fail(reasons::attachment_not_found);
    for (const BlobId blob : (*removed)->blobs) CO_CHECK(co_await parts_.blobs.remove(blob));
    co_return Result<>{};
}

Async<> DeletionService::recover() {
    while (true) {
        CO_TRY(const std::size_t removed, co_await sweep_blobs());
        if (removed == 0) co_return Result<>{};
    }
}

Async<std::size_t> DeletionService::sweep_rows() {
    const Time now = parts_.clock.now();
    auto look = [now](meta::Session& session) {
        return meta::due_attachments(session, now, limits::sweep_batch_max);
    };
    CO_TRY(const auto due, co_await parts_.database.read(look));
    if (due.empty()) co_return std::size_t{0};

    const bool erases = std::ranges::any_of(
        due, [](const auto& row) { return row.state != AttachmentState::pending; });
    struct Swept {
        std::size_t changed = 0;
        std::size_t expired = 0;
    };
    auto change = [now, rows = due](meta::Session& session) -> Result<Swept> {
        Swept swept;
        for (const meta::AttachmentRow& row : rows) {
            if (row.state == AttachmentState::pending) {
                TRY(const bool failed,
                    meta::fail_upload(session, row.id, meta::end_of_lapsed(row)));
                swept.changed += failed ? 1 : 0;
                continue;
            }
            // It may have been uploaded since it was read.
            TRY(const auto current, meta::find_stored_attachment(session, row.id));
            if (!current || !current->sweep_at || *current->sweep_at > now) continue;
            const bool was_upload = row.state == AttachmentState::failed;
            const meta::AuditEntry entry{now, row.partner, row.id,
                                         was_upload ? "upload_failed" : "expired", "sweeper"};
            TRY(const auto removed, meta::remove_attachment(session, entry));
            swept.changed += removed ? 1 : 0;
            swept.expired += removed && !was_upload ? 1 : 0;
        }
        return swept;
    };
    CO_TRY(const Swept swept,
           co_await parts_.database.write(std::move(change),
                                          erases ? meta::Erases::yes : meta::Erases::no));
    expired_ += swept.expired;
    co_return swept.changed;
}

Async<std::size_t> DeletionService::sweep_blobs() {
    auto look = [](meta::Session& session) {
        return meta::pending_blob_removals(session, limits::blob_removals_batch_max);
    };
    CO_TRY(const auto blobs, co_await parts_.database.read(look));
    if (blobs.empty()) co_return std::size_t{0};
    std::vector<BlobId> removed;
    removed.reserve(blobs.size());
    for (const BlobId blob : blobs) {
        const auto gone = co_await parts_.blobs.remove(blob);
        if (gone) {
            removed.push_back(blob);
        } else {
            log::error("blob_not_removed", {{"blob", blob.str()}, {"detail", gone.error().detail}});
        }
    }
    if (removed.empty()) co_return std::size_t{0};
    CO_CHECK(co_await parts_.blobs.sync_removals());
    for (auto next = removed.begin(); next != removed.end();) {
        const auto count = std::min<std::ptrdiff_t>(
            removed.end() - next, static_cast<std::ptrdiff_t>(limits::blob_removals_forgotten_max));
        std::vector<BlobId> part(next, next + count);
        next += count;
        auto forget = [part = std::move(part)](meta::Session& session) {
            return meta::forget_blob_removals(session, part);
        };
        CO_CHECK(co_await parts_.database.write(std::move(forget), meta::Erases::yes));
    }
    co_return removed.size();
}

}  // namespace satchel
