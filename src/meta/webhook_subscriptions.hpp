// Table webhook_subscriptions. Functions run inside a Database::read or ::write. The secret is
// opaque here: sealed bytes from the service.
#pragma once

#include "base/bytes.hpp"
#include "meta/database.hpp"
#include "model/webhook_subscription.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace satchel::meta {

struct SubscriptionRow {
    std::int64_t seq = 0;  // Given by the table, never used again.
    WebhookSubscription subscription;
    Bytes sealed_secret;
};

// Errc::conflict if the partner has that target already.
Result<> insert_subscription(Session& session, const SubscriptionRow& row);
// Everything but id, partner, secret and created_at. Errc::conflict as above.
Result<> update_subscription(Session& session, const WebhookSubscription& subscription);
Result<std::optional<WebhookSubscription>> find_subscription(Session& session,
                                                             PartnerId partner,
                                                             SubscriptionId id);
// In order of creation.
Result<std::vector<SubscriptionRow>> subscriptions_of(Session& session, PartnerId partner);
Result<std::size_t> count_subscriptions(Session& session, PartnerId partner);
// False if there is none. What waits for it is dropped by the deliverer.
Result<bool> remove_subscription(Session& session, PartnerId partner, SubscriptionId id);

struct SealedSecret {
    std::int64_t seq = 0;
    SubscriptionId subscription;
    Bytes sealed;
};
// seq > after, ascending.
Result<std::vector<SealedSecret>> sealed_secrets_after(Session& session,
                                                       std::int64_t after,
                                                       std::size_t max);
Result<> store_sealed_secret(Session& session, SubscriptionId id, const Bytes& sealed);

}  // namespace satchel::meta
