#include "webhook/outbox.hpp"

#include "webhook/webhook_suite.hpp"

#include <boost/json/parse.hpp>

#include <map>

namespace satchel::webhook {
namespace {

struct OutboxTest : WebhookFixture {
    // The bodies of what waits, by subscription.
    std::map<std::int64_t, std::string> waiting() {
        const Time now = clock.now();
        return *test::run(database->read(
            [now](meta::Session& session) -> Result<std::map<std::int64_t, std::string>> {
                std::map<std::int64_t, std::string> bodies;
                TRY(const auto targets, meta::waiting_targets(session, now));
                for (const auto& target : targets) {
                    EXPECT_TRUE(target.has_due);
                    TRY(const auto due,
                        meta::due_deliveries(session, target.subscription, now, 10));
                    EXPECT_EQ(due.size(), 1U);
                    TRY(const auto delivery, meta::find_delivery(session, due.at(0).seq, Time{}));
                    bodies[target.subscription] = delivery.value().body;
                }
                return bodies;
            }));
    }
};

TEST_F(OutboxTest, the_envelope_has_the_eight_members_of_the_contract) {
    subscribe("https://a.example/");
    put(event());
    const auto bodies = waiting();
    ASSERT_EQ(bodies.size(), 1U);
    const auto json = boost::json::parse(bodies.begin()->second).as_object();
    EXPECT_EQ(json.size(), 8U);
    EXPECT_EQ(json.at("api_version"), "v3");
    EXPECT_EQ(json.at("webhook_version"), "2026-02-03");
    EXPECT_EQ(json.at("event_type"), "message.sent");
    EXPECT_TRUE(EventId::parse(std::string_view(json.at("event_id").as_string())));
    EXPECT_EQ(json.at("created_at").as_string(), to_rfc3339(clock.now()));
    EXPECT_EQ(json.at("trace_id"), "8af9171a45022df2eb74ba4e4c83be0f");
    EXPECT_EQ(json.at("partner_id").as_string(), partner.str());
    EXPECT_EQ(json.at("data").at("n"), 1);
}

TEST_F(OutboxTest, each_subscription_gets_its_version_and_all_the_same_event_id) {
    subscribe("https://a.example/?version=2025-01-01");
    subscribe("https://b.example/");
    put(event());
    const auto bodies = waiting();
    ASSERT_EQ(bodies.size(), 2U);
    const auto older = boost::json::parse(bodies.begin()->second);
    const auto newer = boost::json::parse(bodies.rbegin()->second);
    EXPECT_EQ(older.at("webhook_version"), "2025-01-01");
    EXPECT_EQ(older.at("data").at("old"), 1);
    EXPECT_EQ(newer.at("webhook_version"), "2026-02-03");
    EXPECT_EQ(older.at("event_id"), newer.at("event_id"));
}

TEST_F(OutboxTest, an_event_without_data_for_a_version_is_not_sent_in_it) {
    subscribe("https://a.example/?version=2025-01-01");
    Event edited = event();
    edited.data_2025_01_01.clear();
    put(edited);
    EXPECT_EQ(counts().waiting, 0U);
}

TEST_F(OutboxTest, only_who_wants_an_event_gets_it) {
    subscribe("https://other-event.example/", {"message.read"});
    WebhookSubscription other_line = {.id = SubscriptionId::random(),
                                      .partner = partner,
                                      .target_url = "https://other-line.example/",
                                      .events = {"message.sent"},
                                      .phone_numbers = {"+15550100002"}};
    insert(other_line);
    WebhookSubscription inactive = {.id = SubscriptionId::random(),
                                    .partner = partner,
                                    .target_url = "https://inactive.example/",
                                    .events = {"message.sent"},
                                    .is_active = false};
    insert(inactive);
    WebhookSubscription foreign = {.id = SubscriptionId::random(),
                                   .partner = PartnerId::random(),
                                   .target_url = "https://foreign.example/",
                                   .events = {"message.sent"}};
    insert(foreign);
    put(event());
    EXPECT_EQ(counts().waiting, 0U);
}

TEST_F(OutboxTest, an_event_of_a_change_that_failed_is_not_there) {
    subscribe("https://a.example/");
    const Event sent = event();
    EXPECT_FALSE(test::run(database->write([sent](meta::Session& session) -> Result<> {
        CHECK(enqueue(session, sent));
        return fail(Errc::conflict, "the change did not happen");
    })));
    EXPECT_EQ(counts().waiting, 0U);
}

TEST_F(OutboxTest, secrets_open_only_for_their_subscription) {
    const auto id = SubscriptionId::random();
    const Bytes sealed = secrets.seal(id, "whsec_x");
    EXPECT_EQ(secrets.open(id, sealed), "whsec_x");
    EXPECT_EQ(secrets.open(SubscriptionId::random(), sealed).error().code, Errc::corrupt);
}

}  // namespace
}  // namespace satchel::webhook
