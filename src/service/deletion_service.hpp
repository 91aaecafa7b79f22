// How attachments go: one way for every cause. A client's DELETE, an upload that never came or was
// refused, expiry, the operator's erasure. Contract sections 2.5, 7.1 and 7.5.
//
// Order of writes (docs/adr/0004-order-of-writes.md): row, key and name gone, blobs queued for
// removal, audit entry, all durable -> downloads under way end, bytes unlinked; meanwhile the
// engine's files are cleared of what went -> answer.
// A crash between two steps leaves what recover() finishes before the first request.
//
// Everything is usable from every loop at once.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "blob/store.hpp"
#include "meta/attachments.hpp"
#include "meta/database.hpp"
#include "service/open_downloads.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace satchel {

// What the audit says of a deletion.
struct DeletionReason {
    std::string cause;  // docs/formats/audit.md has them all.
    std::string actor;  // "key:<id>", "sweeper", "operator"
};

struct OwnedAttachment {
    PartnerId partner;
    AttachmentId id;
};

class DeletionService {
public:
    struct Parts {
        meta::Database& database;
        blob::Store& blobs;
        const Clock& clock;
        OpenDownloads& downloads;
        // Called when the edge has something to be told of. Empty: there is no edge to tell.
        std::function<void()> wake_edge = {};
    };
    explicit DeletionService(Parts parts) : parts_(std::move(parts)) {}

    // Deletes for good. reasons::attachment_not_found for a foreign id as for an unknown one, after
    // the same look-up; reasons::overloaded if the row is gone but the database's files could not
    // be cleaned yet: a retry is answered with "not found". So it is after an error of the store:
    // the sweeper unlinks what stayed.
    Async<> remove(PartnerId partner, AttachmentId id, DeletionReason reason);

    // Deletes those of a few that are still there, and does what `beside` does, in one
    // transaction. The bytes are gone when it returns. Errors: those of the write; what could not
    // be unlinked is left to the sweeper.
    using Beside = std::move_only_function<Result<std::size_t>(meta::Session&)>;
    struct RemovedAll {
        std::size_t attachments = 0;
        std::size_t beside = 0;  // What `beside` returned.
    };
    Async<RemovedAll> remove_all(std::vector<OwnedAttachment> attachments,
                                 DeletionReason reason,
                                 Beside beside = {});

    // Finishes interrupted deletions. Run once, before the first request.
    Async<> recover();

    // One pass over rows that are due: lapsed uploads fail, failed and expired rows are removed.
    // Returns how many rows it changed; call again until 0.
    Async<std::size_t> sweep_rows();
    // One pass over blobs whose rows are gone. Returns how many it removed; call again until 0.
    Async<std::size_t> sweep_blobs();

    // Ephemeral attachments that sweep_rows() removed in this process.
    std::uint64_t expired() const { return expired_; }

private:
    // In a transaction: the row and what hangs from it, the audit entry, the job for the edge.
    Result<std::optional<meta::Removed>> take_out(meta::Session& session,
                                                  const meta::AuditEntry& entry) const;
    // Ends what reads the blob, and unlinks it.
    Async<> remove_blob(BlobId blob);
    // remove_blob() for many, a few to a job of the store. Returns those that are not gone; why not
    // stands in the log.
    Task<std::set<BlobId>> remove_blobs(std::vector<BlobId> blobs);
    struct Swept {
        std::size_t changed = 0;
        std::size_t expired = 0;
        bool must_erase = false;  // Ended at a row that only a write that erases may remove.
    };
    // In a transaction: does with a row that is due what is to be done.
    Result<> sweep_row(meta::Session& session,
                       const meta::AttachmentRow& row,
                       Time now,
                       Swept& swept) const;

    Parts parts_;
    std::atomic<std::uint64_t> expired_{0};
};

}  // namespace satchel
