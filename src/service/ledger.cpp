#include "service/ledger.hpp"

#include "base/limits.hpp"
#include "meta/attachments.hpp"
#include "meta/audit.hpp"
#include "webhook/deleted_attachment.hpp"

#include <algorithm>
#include <vector>

namespace satchel {
namespace {

std::unexpected<Error> does_not_follow(std::uint64_t seq) {
    std::string message = "entry " + std::to_string(seq) +
                          " of the deletion ledger does not follow the audit of the backup: it is "
                          "the ledger of another store, or one of the two was changed";
    return std::unexpected(Error{Errc::corrupt, nullptr, message, message});
}

Result<LedgerOutcome> apply_batch(meta::Session& session, const std::vector<AuditLink>& links) {
    LedgerOutcome outcome;
    for (const AuditLink& link : links) {
        if (session.audit_end().seq + 1 != link.seq) return does_not_follow(link.seq);
        TRY(const auto removed, meta::remove_attachment(session, link.entry));
        if (removed) {
            CHECK(webhook::forget_attachment(session, link.entry.attachment));
            ++outcome.deleted;
        } else {
            CHECK(meta::append_audit(session, link.entry));
        }
        if (session.audit_end().hash != link.hash) return does_not_follow(link.seq);
        ++outcome.entries;
    }
    return outcome;
}

}  // namespace

Async<LedgerOutcome> apply_ledger(meta::Database& database, std::span<const AuditLink> links) {
    LedgerOutcome all;
    while (!links.empty()) {
        const auto next = links.first(std::min(links.size(), limits::ledger_batch_max));
        links = links.subspan(next.size());
        std::vector<AuditLink> batch(next.begin(), next.end());
        CO_TRY(const LedgerOutcome done, co_await database.write(
                                             [batch = std::move(batch)](meta::Session& session) {
                                                 return apply_batch(session, batch);
                                             },
                                             meta::Erases::yes));
        all.entries += done.entries;
        all.deleted += done.deleted;
    }
    co_return all;
}

Async<AuditPosition> audit_end_of(meta::Database& database) {
    CO_TRY(const auto chain, co_await database.read([](meta::Session& session) {
        return meta::find_audit_chain(session);
    }));
    if (!chain) co_return fail(Errc::corrupt, "the deletion audit has no end");
    co_return chain->end;
}

Async<> forget_removed_blobs(meta::Database& database) {
    while (true) {
        CO_TRY(const bool is_empty,
               co_await database.write([](meta::Session& session) -> Result<bool> {
                   TRY(const auto removals,
                       meta::pending_blob_removals(session, limits::sweep_batch_max));
                   CHECK(meta::forget_blob_removals(session, removals));
                   return removals.empty();
               }));
        if (is_empty) co_return Result<>{};
    }
}

}  // namespace satchel
