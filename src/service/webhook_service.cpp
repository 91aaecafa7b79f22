#include "service/webhook_service.hpp"

#include "base/limits.hpp"
#include "crypto/webhook_signature.hpp"
#include "meta/partners.hpp"
#include "meta/webhook_subscriptions.hpp"
#include "model/api_errors.hpp"
#include "service/partner_service.hpp"

#include <algorithm>

namespace satchel {
namespace {

constexpr std::size_t failed_shown_max = 1000;
constexpr std::size_t replay_batch_max = 500;
constexpr std::size_t counted_max = 100'000;
constexpr std::string_view shown_events_url = "GET /v3/webhook-events lists them";

Result<> check_target(const fetch::Fetcher& fetcher, std::string_view url) {
    if (url.size() > limits::webhook_url_bytes_max) {
        return fail(reasons::invalid_parameter, "target_url must have at most " +
                                                    std::to_string(limits::webhook_url_bytes_max) +
                                                    " characters");
    }
    const bool is_plain = std::ranges::none_of(url, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= 0x20 || byte == 0x7f;
    });
    if (is_plain && !url.contains('#') && fetcher.check_url(url)) return {};
    return fail(reasons::invalid_parameter,
                "target_url must be a public https URL without credentials and fragment");
}

void keep_each_once(std::vector<std::string>& words) {
    std::vector<std::string> kept;
    for (std::string& word : words) {
        if (std::ranges::find(kept, word) == kept.end()) kept.push_back(std::move(word));
    }
    words = std::move(kept);
}

Result<> check_events(std::vector<std::string>& events) {
    for (const std::string& event : events) {
        if (is_webhook_event_type(event)) continue;
        return fail(reasons::invalid_parameter,
                    "subscribed_events holds an unknown event; " + std::string(shown_events_url));
    }
    keep_each_once(events);
    if (!events.empty()) return {};
    return fail(reasons::invalid_parameter, "subscribed_events must hold at least one event");
}

Result<> check_numbers(std::vector<std::string>& numbers) {
    for (const std::string& number : numbers) {
        if (!is_e164(number)) {
            return fail(reasons::invalid_phone_number,
                        "phone_numbers must be in E.164 format, for example +15550100001");
        }
    }
    keep_each_once(numbers);
    return {};
}

Result<> check_owned(meta::Session& session, const WebhookSubscription& subscription) {
    if (subscription.phone_numbers.empty()) return {};
    TRY(const auto lines, meta::all_lines(session));
    for (const std::string& number : subscription.phone_numbers) {
        const auto line = std::ranges::find(lines, number, &Line::number);
        if (line != lines.end() && line->partner == subscription.partner) continue;
        return fail(reasons::phone_permission_denied);
    }
    return {};
}

// Of a write that may meet the unique index on partner and target.
Result<> name_conflict(Result<> written) {
    if (written || written.error().code != Errc::conflict) return written;
    return fail(reasons::state_conflict, "There is a subscription with this target_url already");
}

Result<> insert(meta::Session& session, const meta::SubscriptionRow& row) {
    CHECK(check_owned(session, row.subscription));
    TRY(const std::size_t count, meta::count_subscriptions(session, row.subscription.partner));
    if (count >= limits::webhook_subscriptions_max) {
        return fail(reasons::state_conflict, "There are " +
                                                 std::to_string(limits::webhook_subscriptions_max) +
                                                 " subscriptions already. Delete one first");
    }
    return name_conflict(meta::insert_subscription(session, row));
}

}  // namespace

Async<NewSubscription> WebhookService::create(PartnerId partner, CreateSubscription command) {
    CO_CHECK(check_target(parts_.fetcher, command.target_url));
    CO_CHECK(check_events(command.events));
    CO_CHECK(check_numbers(command.phone_numbers));
    const Time now = parts_.clock.now();
    NewSubscription made;
    made.secret = crypto::new_webhook_secret();
    made.subscription = {.id = SubscriptionId::random(),
                         .partner = partner,
                         .target_url = std::move(command.target_url),
                         .events = std::move(command.events),
                         .phone_numbers = std::move(command.phone_numbers),
                         .is_active = true,
                         .created_at = now,
                         .updated_at = now};
    const meta::SubscriptionRow row{
        .subscription = made.subscription,
        .sealed_secret = parts_.secrets.seal(made.subscription.id, made.secret)};
    CO_CHECK(co_await parts_.database.write(
        [row](meta::Session& session) { return insert(session, row); }));
    co_return made;
}

Async<WebhookSubscription> WebhookService::update(PartnerId partner,
                                                  SubscriptionId id,
                                                  UpdateSubscription command) {
    if (command.target_url) CO_CHECK(check_target(parts_.fetcher, *command.target_url));
    if (command.events) CO_CHECK(check_events(*command.events));
    if (command.phone_numbers) CO_CHECK(check_numbers(*command.phone_numbers));
    const Time now = parts_.clock.now();
    auto write = [partner, id, command = std::move(command),
                  now](meta::Session& session) -> Result<WebhookSubscription> {
        TRY(auto found, meta::find_subscription(session, partner, id));
        if (!found) return fail(reasons::subscription_not_found);
        if (command.target_url) found->target_url = *command.target_url;
        if (command.events) found->events = *command.events;
        if (command.phone_numbers) {
            found->phone_numbers = *command.phone_numbers;
            CHECK(check_owned(session, *found));
        }
        if (command.is_active) found->is_active = *command.is_active;
        found->updated_at = now;
        CHECK(name_conflict(meta::update_subscription(session, *found)));
        return *std::move(found);
    };
    co_return co_await parts_.database.write(std::move(write));
}

Async<WebhookSubscription> WebhookService::find(PartnerId partner, SubscriptionId id) {
    CO_TRY(auto found, co_await parts_.database.read([partner, id](meta::Session& session) {
        return meta::find_subscription(session, partner, id);
    }));
    if (!found) co_return fail(reasons::subscription_not_found);
    co_return *std::move(found);
}

Async<std::vector<WebhookSubscription>> WebhookService::list(PartnerId partner) {
    CO_TRY(auto rows, co_await parts_.database.read([partner](meta::Session& session) {
        return meta::subscriptions_of(session, partner);
    }));
    std::vector<WebhookSubscription> all;
    for (auto& row : rows) all.push_back(std::move(row.subscription));
    co_return all;
}

Async<> WebhookService::remove(PartnerId partner, SubscriptionId id) {
    CO_TRY(const bool found, co_await parts_.database.write([partner, id](meta::Session& session) {
        return meta::remove_subscription(session, partner, id);
    }));
    if (!found) co_return fail(reasons::subscription_not_found);
    co_return Result<>{};
}

Async<std::vector<meta::FailedDelivery>> WebhookService::failed() {
    co_return co_await parts_.database.read(
        [](meta::Session& session) { return meta::failed_deliveries(session, failed_shown_max); });
}

Async<std::size_t> WebhookService::replay(EventId event) {
    const Time now = parts_.clock.now();
    CO_TRY(const std::size_t count,
           co_await parts_.database.write([event, now](meta::Session& session) {
               return meta::replay_event(session, event, now);
           }));
    if (count == 0) {
        co_return fail(reasons::resource_not_found,
                       "no delivery of event " + event.str() + " was given up");
    }
    co_return count;
}

Async<std::size_t> WebhookService::replay_all() {
    const Time now = parts_.clock.now();
    std::size_t total = 0;
    while (true) {
        CO_TRY(const std::size_t count,
               co_await parts_.database.write([now](meta::Session& session) {
                   return meta::replay_all(session, now, replay_batch_max);
               }));
        total += count;
        if (count < replay_batch_max) co_return total;
    }
}

Async<meta::OutboxCounts> WebhookService::counts() {
    co_return co_await parts_.database.read(
        [](meta::Session& session) { return meta::count_outbox(session, counted_max); });
}

}  // namespace satchel
