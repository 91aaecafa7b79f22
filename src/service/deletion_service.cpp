#include "service/deletion_service.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/scheduling.hpp"
#include "meta/edge_purges.hpp"
#include "meta/ownership.hpp"
#include "meta/renditions.hpp"
#include "model/api_errors.hpp"
#include "webhook/deleted_attachment.hpp"

#include <algorithm>
#include <span>

namespace satchel {

namespace {

std::string cause_of(const meta::AttachmentRow& due) {
    if (due.state == AttachmentState::failed) return "upload_failed";
    return due.tier == Tier::ephemeral ? "expired" : "replaced";
}

}  // namespace

Async<> DeletionService::remove(PartnerId partner, AttachmentId id, DeletionReason reason) {
    // Most calls for an id that is not there, or not theirs, end here, for the same price.
    auto find = [partner, id, now = parts_.clock.now()](meta::Session& session) {
        return meta::find_own_attachment(session, id, partner, now);
    };
    CO_TRY(const auto row, co_await parts_.database.read(find));
    if (!row) co_return fail(reasons::attachment_not_found);

    meta::AuditEntry entry{parts_.clock.now(), partner, id, std::move(reason.cause),
                           std::move(reason.actor)};
    auto remove_row = [this, entry = std::move(entry)](meta::Session& session) {
        return take_out(session, entry);
    };
    CO_TRY(const auto removed,
           co_await parts_.database.write(std::move(remove_row), meta::Erases::later));
    const meta::ErasureMark mark = parts_.database.erasure_mark();
    if (!removed) co_return fail(reasons::attachment_not_found);
    if (parts_.wake_edge) parts_.wake_edge();
    // While the database clears its files.
    for (const BlobId blob : removed->blobs) CO_CHECK(co_await remove_blob(blob));
    if (!co_await parts_.database.wait_until_gone(mark)) {
        co_return fail(reasons::overloaded, "The attachment is deleted; its traces are not yet");
    }
    co_return Result<>{};
}

Result<std::optional<meta::Removed>> DeletionService::take_out(
    meta::Session& session, const meta::AuditEntry& entry) const {
    std::vector<meta::RenditionRow> forms;
    if (parts_.wake_edge) {
        TRY(forms, meta::renditions_of(session, entry.attachment));
    }
    TRY(auto removed, meta::remove_attachment(session, entry));
    if (removed) CHECK(webhook::forget_attachment(session, entry.attachment));
    // Without bytes there was nothing to keep a copy of.
    if (!removed || removed->blobs.empty() || !parts_.wake_edge) return removed;
    meta::EdgePurge purge{entry.partner, entry.attachment, {}};
    for (const meta::RenditionRow& form : forms) {
        if (form.width == 0) purge.forms.push_back(form.form);
    }
    CHECK(meta::insert_edge_purge(session, purge, entry.at));
    return removed;
}

// Twice: a download that was announced after the first time may have opened the bytes before they
// were unlinked; one that is announced after the second finds nothing to open.
Async<> DeletionService::remove_blob(BlobId blob) {
    parts_.downloads.withdraw(blob);
    auto removed = co_await parts_.blobs.remove(blob);
    parts_.downloads.withdraw(blob);
    co_return removed;
}

Task<std::set<BlobId>> DeletionService::remove_blobs(std::vector<BlobId> blobs) {
    std::set<BlobId> kept;
    for (std::span<const BlobId> rest = blobs; !rest.empty();) {
        const auto job = rest.first(std::min(rest.size(), limits::blob_removals_per_job));
        rest = rest.subspan(job.size());
        for (const BlobId blob : job) parts_.downloads.withdraw(blob);
        const auto answers = co_await parts_.blobs.remove_each(std::vector(job.begin(), job.end()));
        ASSERT(answers.size() == job.size());
        for (std::size_t i = 0; i < job.size(); ++i) {
            parts_.downloads.withdraw(job[i]);
            if (answers[i]) continue;
            kept.insert(job[i]);
            log::error("blob_not_removed",
                       {{"blob", job[i].str()}, {"detail", answers[i].error().detail}});
        }
    }
    co_return kept;
}

Async<DeletionService::RemovedAll> DeletionService::remove_all(
    std::vector<OwnedAttachment> attachments, DeletionReason reason, Beside beside) {
    struct Done {
        RemovedAll counts;
        std::vector<BlobId> blobs;
    };
    auto change = [this, attachments = std::move(attachments), reason = std::move(reason),
                   beside = std::move(beside),
                   now = parts_.clock.now()](meta::Session& session) mutable -> Result<Done> {
        Done done;
        for (const OwnedAttachment& each : attachments) {
            const meta::AuditEntry entry{now, each.partner, each.id, reason.cause, reason.actor};
            TRY(const auto removed, take_out(session, entry));
            if (!removed) continue;
            ++done.counts.attachments;
            done.blobs.insert(done.blobs.end(), removed->blobs.begin(), removed->blobs.end());
            if (!parts_.database.has_waiting_writes()) give_way();
        }
        if (beside) {
            TRY(done.counts.beside, beside(session));
        }
        return done;
    };
    CO_TRY(Done done, co_await parts_.database.write(std::move(change), meta::Erases::yes));
    if (parts_.wake_edge && done.counts.attachments > 0) parts_.wake_edge();
    co_await remove_blobs(std::move(done.blobs));  // The sweeper removes what stays.
    co_return done.counts;
}

Async<> DeletionService::recover() {
    while (true) {
        CO_TRY(const std::size_t removed, co_await sweep_blobs());
        if (removed == 0) co_return Result<>{};
    }
}

// What is due is looked up by the transaction that removes it: nothing changes in between, and the
// loop does not stop for it.
Async<std::size_t> DeletionService::sweep_rows() {
    const Time now = parts_.clock.now();
    auto look = [now](meta::Session& session) { return meta::due_attachments(session, now, 1); };
    CO_TRY(const auto due, co_await parts_.database.read(look));
    if (due.empty()) co_return std::size_t{0};
    // Uploads that lapsed leave no traces to be cleared; what is to be removed waits for its pass.
    const auto erases =
        due.front().state == AttachmentState::pending ? meta::Erases::no : meta::Erases::yes;

    auto change = [this, now, erases](meta::Session& session) -> Result<Swept> {
        Swept swept;
        std::size_t looked_at = 0;
        do {
            TRY(const auto rows, meta::due_attachments(session, now, limits::due_rows_per_look));
            for (const meta::AttachmentRow& row : rows) {
                if (row.state != AttachmentState::pending && erases == meta::Erases::no) {
                    swept.must_erase = true;
                    return swept;
                }
                CHECK(sweep_row(session, row, now, swept));
                if (!parts_.database.has_waiting_writes()) give_way();
            }
            if (rows.size() < limits::due_rows_per_look) break;
            looked_at += rows.size();
        } while (looked_at < limits::due_batch_max && !parts_.database.has_waiting_writes());
        return swept;
    };
    CO_TRY(const Swept swept, co_await parts_.database.write(std::move(change), erases));
    if (parts_.wake_edge) parts_.wake_edge();
    expired_ += swept.expired;
    // The row that was looked at before has gone meanwhile: there is work all the same.
    if (swept.changed == 0 && swept.must_erase) co_return co_await sweep_rows();
    co_return swept.changed;
}

Result<> DeletionService::sweep_row(meta::Session& session,
                                    const meta::AttachmentRow& row,
                                    Time now,
                                    Swept& swept) const {
    if (row.state == AttachmentState::pending) {
        TRY(const bool failed, meta::fail_upload(session, row.id, meta::end_of_lapsed(row)));
        swept.changed += failed ? 1 : 0;
        return {};
    }
    const meta::AuditEntry entry{now, row.partner, row.id, cause_of(row), "sweeper"};
    TRY(const auto removed, take_out(session, entry));
    swept.changed += removed ? 1 : 0;
    swept.expired += removed && entry.cause == "expired" ? 1 : 0;
    return {};
}

Async<std::size_t> DeletionService::sweep_blobs() {
    auto look = [](meta::Session& session) {
        return meta::pending_blob_removals(session, limits::blob_removals_batch_max);
    };
    CO_TRY(auto removals, co_await parts_.database.read(look));
    if (removals.empty()) co_return std::size_t{0};
    std::vector<BlobId> blobs;
    blobs.reserve(removals.size());
    for (const meta::BlobRemoval& removal : removals) blobs.push_back(removal.blob);
    const std::set<BlobId> kept = co_await remove_blobs(std::move(blobs));
    std::erase_if(removals, [&kept](const auto& each) { return kept.contains(each.blob); });
    if (removals.empty()) co_return std::size_t{0};
    CO_CHECK(co_await parts_.blobs.sync_removals());
    for (std::span<const meta::BlobRemoval> rest = removals; !rest.empty();) {
        const auto part = rest.first(std::min(rest.size(), limits::blob_removals_forgotten_max));
        rest = rest.subspan(part.size());
        auto forget = [done = std::vector(part.begin(), part.end())](meta::Session& session) {
            return meta::forget_blob_removals(session, done);
        };
        CO_CHECK(co_await parts_.database.write(std::move(forget), meta::Erases::yes));
    }
    co_return removals.size();
}

}  // namespace satchel
