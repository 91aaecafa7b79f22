// Webhook subscriptions, and what could not be delivered to them. Contract sections 5.1 and 5.2.
// Usable from every loop at once. A foreign id is answered as an unknown one.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "fetch/fetch.hpp"
#include "meta/database.hpp"
#include "meta/webhook_outbox.hpp"
#include "model/webhook_subscription.hpp"
#include "webhook/secret_box.hpp"

#include <optional>
#include <string>
#include <vector>

namespace satchel {

struct CreateSubscription {
    std::string target_url;
    std::vector<std::string> events;
    std::vector<std::string> phone_numbers;  // Empty: all of the partner's lines.
};

// What is absent stays as it is.
struct UpdateSubscription {
    std::optional<std::string> target_url;
    std::optional<std::vector<std::string>> events;
    std::optional<std::vector<std::string>> phone_numbers;
    std::optional<bool> is_active;
};

struct NewSubscription {
    WebhookSubscription subscription;
    std::string secret;  // Shown once.
};

class WebhookService {
public:
    struct Parts {
        meta::Database& database;
        const fetch::Fetcher& fetcher;
        const webhook::SecretBox& secrets;
        const Clock& clock;
    };
    explicit WebhookService(Parts parts) : parts_(parts) {}

    // Errors: reasons::invalid_parameter for a target that may not be opened, no or unknown
    // events; reasons::invalid_phone_number and reasons::phone_permission_denied for the
    // numbers; reasons::state_conflict if the partner has that target already, or
    // limits::webhook_subscriptions_max subscriptions.
    Async<NewSubscription> create(PartnerId partner, CreateSubscription command);
    // Errors as above, and reasons::subscription_not_found. The secret stays.
    Async<WebhookSubscription> update(PartnerId partner,
                                      SubscriptionId id,
                                      UpdateSubscription command);
    Async<WebhookSubscription> find(PartnerId partner, SubscriptionId id);
    // In order of creation.
    Async<std::vector<WebhookSubscription>> list(PartnerId partner);
    // What waits for it is dropped.
    Async<> remove(PartnerId partner, SubscriptionId id);

    // The newest of what was given up.
    Async<std::vector<meta::FailedDelivery>> failed();
    // Makes it wait again; returns how many deliveries that is.
    // reasons::resource_not_found if no delivery of the event was given up.
    Async<std::size_t> replay(EventId event);
    Async<std::size_t> replay_all();
    Async<meta::OutboxCounts> counts();

private:
    Parts parts_;
};

}  // namespace satchel
