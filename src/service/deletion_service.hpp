// How attachments go: one way for every cause. A client's DELETE, an upload that never came or was
// refused, expiry, the operator's erasure. Contract sections 2.5, 7.1 and 7.5.
//
// Order of writes (docs/adr/0004-order-of-writes.md): row, key and name gone, blobs queued for
// removal, audit entry, all durable and erased from the engine's files -> bytes unlinked -> answer.
// A crash between two steps leaves what recover() finishes before the first request.
//
// Everything is usable from every loop at once.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "blob/store.hpp"
#include "meta/attachments.hpp"
#include "meta/database.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace satchel {

// What the audit says of a deletion.
struct DeletionReason {
    std::string cause;  // "delete", "expired", "upload_failed"
    std::string actor;  // "key:<id>", "sweeper", "operator"
};

class DeletionService {
public:
    struct Parts {
        meta::Database& database;
        blob::Store& blobs;
        const Clock& clock;
    };
    explicit DeletionService(Parts parts) : parts_(parts) {}

    // Deletes for good. reasons::attachment_not_found for a foreign id as for an unknown one, after
    // the same look-up; reasons::overloaded if the row is gone but the database's files could not
    // be cleaned yet: a retry is answered with "not found".
    Async<> remove(PartnerId partner, AttachmentId id, DeletionReason reason);

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
    Parts parts_;
    std::atomic<std::uint64_t> expired_{0};
};

}  // namespace satchel
