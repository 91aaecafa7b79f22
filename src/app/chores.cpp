#include "app/chores.hpp"

namespace satchel::app {

std::vector<Chore> make_chores(AttachmentService& attachments,
                               DeletionService& deletions,
                               MessageExpiry& message_expiry,
                               RetentionService& retention) {
    return {{"doubtful uploads", [&attachments] { return attachments.settle_doubtful(); }},
            {"expired messages", [&message_expiry] { return message_expiry.sweep_messages(); }},
            {"expired events", [&message_expiry] { return message_expiry.sweep_events(); }},
            {"due attachments", [&deletions] { return deletions.sweep_rows(); },
             [&retention] { return retention.attachments_lag(); }},
            {"removed blobs", [&deletions] { return deletions.sweep_blobs(); }},
            {"old messages", [&retention] { return retention.sweep_messages(); },
             [&retention] { return retention.messages_lag(); }},
            {"old audit entries", [&retention] { return retention.sweep_audit(); },
             [&retention] { return retention.audit_lag(); }},
            {"old opt-out overrides", [&retention] { return retention.sweep_overrides(); },
             [&retention] { return retention.overrides_lag(); }},
            {"old idempotency keys", [&retention] { return retention.sweep_idempotency_keys(); }},
            {"old bridge ids", [&retention] { return retention.sweep_inbox(); },
             [&retention] { return retention.inbox_lag(); }},
            {"purges of no edge", [&retention] { return retention.sweep_edge_purges(); }}};
}

void add_sweeper_metrics(admin::Metrics& metrics, const Sweeper& sweeper) {
    metrics.gauge("satchel_sweeper_lag_seconds", "Seconds since a sweep last left nothing to do.",
                  [&sweeper] { return sweeper.lag_seconds(); });
    for (std::size_t index = 0; index < sweeper.chores().size(); ++index) {
        const Chore& chore = sweeper.chores()[index];
        if (!chore.lag) continue;
        metrics.gauge("satchel_chore_lag_seconds",
                      "How much too late the oldest thing that should be gone still is there.",
                      {"chore", chore.name},
                      [&sweeper, index] { return sweeper.lag_seconds(index); });
    }
}

}  // namespace satchel::app
