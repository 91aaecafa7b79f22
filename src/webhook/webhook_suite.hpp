// A database with one partner's subscriptions, for the tests of this folder.
#pragma once

#include "crypto/webhook_signature.hpp"
#include "meta/sqlite.hpp"
#include "meta/webhook_outbox.hpp"
#include "meta/webhook_subscriptions.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"
#include "webhook/outbox.hpp"
#include "webhook/secret_box.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace satchel::webhook {

struct WebhookFixture : testing::Test {
    test::TempFolder folder;
    crypto::KeyRing keys = make_keys();
    SecretBox secrets{crypto::Key::random()};
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    std::unique_ptr<meta::Database> database =
        *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});
    const PartnerId partner = PartnerId::random();
    const std::string secret = crypto::new_webhook_secret();

    WebhookSubscription subscribe(std::string url,
                                  std::vector<std::string> events = {"message.sent"}) {
        WebhookSubscription subscription{.id = SubscriptionId::random(),
                                         .partner = partner,
                                         .target_url = std::move(url),
                                         .events = std::move(events),
                                         .created_at = clock.now(),
                                         .updated_at = clock.now()};
        insert(subscription);
        return subscription;
    }

    void insert(const WebhookSubscription& subscription) {
        const meta::SubscriptionRow row{.subscription = subscription,
                                        .sealed_secret = secrets.seal(subscription.id, secret)};
        EXPECT_TRUE(test::run(database->write(
            [row](meta::Session& session) { return meta::insert_subscription(session, row); })));
    }

    Event event(std::string order_key = {}, std::string data = R"({"n":1})") {
        return {.type = "message.sent",
                .partner = partner,
                .phone_number = "+15550100001",
                .at = clock.now(),
                .trace_id = "8af9171a45022df2eb74ba4e4c83be0f",
                .data_2025_01_01 = R"({"old":1})",
                .data_2026_02_03 = std::move(data),
                .order_key = std::move(order_key)};
    }

    void put(const Event& each) {
        EXPECT_TRUE(test::run(
            database->write([each](meta::Session& session) { return enqueue(session, each); })));
    }

    meta::OutboxCounts counts() {
        return *test::run(database->read(
            [](meta::Session& session) { return meta::count_outbox(session, 1'000'000); }));
    }

    std::vector<meta::FailedDelivery> failed() {
        return *test::run(database->read(
            [](meta::Session& session) { return meta::failed_deliveries(session, 1000); }));
    }

private:
    crypto::KeyRing make_keys() {
        EXPECT_TRUE(crypto::KeyRing::create(folder / "master.key"));
        return *crypto::KeyRing::open(folder / "master.key");
    }
};

}  // namespace satchel::webhook
