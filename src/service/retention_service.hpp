// What goes because it is old: docs/operations/retention.md says which table has which owner.
// Attachments go through DeletionService, as whatever deletes them.
//
// Each sweep_...() is one short pass for app/sweeper.hpp: how much it did, and 0 when nothing of
// its kind is due. Used on one loop.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "meta/database.hpp"
#include "model/ids.hpp"
#include "service/deletion_service.hpp"

#include <cstddef>
#include <cstdint>

namespace satchel {

struct RetentionSettings {
    // How long things stay. 0: for good.
    Duration messages{0};
    Duration audit{0};
    Duration idempotency_keys{0};  // After the message was made, once it is gone.
    bool removes_media = false;    // What came in with a message, or by URL, goes with it.
    bool tells_edge = false;       // An edge is configured.
};

class RetentionService {
public:
    struct Parts {
        meta::Database& database;
        const Clock& clock;
        DeletionService& deletions;
        RetentionSettings settings;
    };
    explicit RetentionService(Parts parts) : parts_(parts) {}

    Async<std::size_t> sweep_messages();
    // Of messages that are gone. Walks all that are old enough once an hour.
    Async<std::size_t> sweep_idempotency_keys();
    // Sends in spite of an opt-out: they stay as long as the audit.
    Async<std::size_t> sweep_overrides();
    // The bridge's ids of messages that came in.
    Async<std::size_t> sweep_inbox();
    // What was to be told an edge that is configured no more.
    Async<std::size_t> sweep_edge_purges();

    // The oldest entries, never the last. Errc::corrupt if the chain is broken there.
    Async<std::size_t> sweep_audit();

    // How much later than it should the oldest of its kind is still there; 0: none is late.
    Async<Duration> attachments_lag();
    Async<Duration> messages_lag();
    Async<Duration> audit_lag();
    Async<Duration> overrides_lag();
    Async<Duration> inbox_lag();

private:
    Parts parts_;
    MessageId keys_seen_{};
    Time keys_due_at_{};
};

}  // namespace satchel
