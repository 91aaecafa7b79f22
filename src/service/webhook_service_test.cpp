#include "service/webhook_service.hpp"

#include "base/limits.hpp"
#include "meta/partners.hpp"
#include "meta/sqlite.hpp"
#include "meta/webhook_subscriptions.hpp"
#include "model/api_errors.hpp"
#include "tests/support/run.hpp"
#include "tests/support/scripted_fetcher.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

using test::run;

struct WebhookServiceTest : testing::Test {
    test::TempFolder folder;
    crypto::KeyRing keys = make_keys();
    webhook::SecretBox secrets{crypto::Key::random()};
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    std::unique_ptr<meta::Database> database =
        *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});
    test::ScriptedFetcher fetcher;
    WebhookService service{{*database, fetcher, secrets, clock}};
    const PartnerId alice = add_partner("alice", "+15550100001");
    const PartnerId bob = add_partner("bob", "+15550100002");

    crypto::KeyRing make_keys() {
        EXPECT_TRUE(crypto::KeyRing::create(folder / "master.key"));
        return *crypto::KeyRing::open(folder / "master.key");
    }
    PartnerId add_partner(std::string name, std::string number) {
        const Partner partner{PartnerId::random(), std::move(name), clock.now(), std::nullopt};
        const Line line{std::move(number), partner.id, clock.now()};
        EXPECT_TRUE(run(database->write([partner, line](meta::Session& session) -> Result<> {
            CHECK(meta::insert_partner(session, partner));
            return meta::insert_line(session, line);
        })));
        return partner.id;
    }
    NewSubscription create(CreateSubscription command) {
        auto made = run(service.create(alice, std::move(command)));
        EXPECT_TRUE(made);
        return *made;
    }
    static const Reason* reason_of(const auto& result) {
        return result ? nullptr : result.error().reason;
    }
};

TEST_F(WebhookServiceTest, a_subscription_is_found_as_it_was_made_and_its_secret_is_sealed) {
    const auto made =
        create({"https://a.example/?x=1", {"message.sent", "message.sent"}, {"+15550100001"}});
    EXPECT_TRUE(made.secret.starts_with("whsec_"));
    const auto found = run(service.find(alice, made.subscription.id));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->target_url, "https://a.example/?x=1");
    EXPECT_EQ(found->events, std::vector<std::string>{"message.sent"});
    EXPECT_EQ(found->phone_numbers, std::vector<std::string>{"+15550100001"});
    EXPECT_TRUE(found->is_active);
    EXPECT_EQ(found->created_at, clock.now());
    const auto rows = run(database->read(
        [this](meta::Session& session) { return meta::subscriptions_of(session, alice); }));
    const auto& sealed = rows->at(0).sealed_secret;
    EXPECT_EQ(as_text(sealed).find(made.secret.substr(6)), std::string::npos);
    EXPECT_EQ(secrets.open(made.subscription.id, sealed), made.secret);
}

TEST_F(WebhookServiceTest, what_may_not_be_subscribed_to_is_refused_by_name) {
    const auto refusal = [this](CreateSubscription command) {
        return reason_of(run(service.create(alice, std::move(command))));
    };
    const std::vector<std::string> events{"message.sent"};
    EXPECT_EQ(refusal({"http://a.example/", events, {}}), &reasons::invalid_parameter);
    EXPECT_EQ(refusal({"https://user:pass@a.example/", events, {}}), &reasons::invalid_parameter);
    EXPECT_EQ(refusal({"https://a.example/ x", events, {}}), &reasons::invalid_parameter);
    EXPECT_EQ(refusal({"https://a.example/#x", events, {}}), &reasons::invalid_parameter);
    EXPECT_EQ(refusal({"https://a.example/" + std::string(2048, 'x'), events, {}}),
              &reasons::invalid_parameter);
    EXPECT_EQ(refusal({"https://a.example/", {}, {}}), &reasons::invalid_parameter);
    EXPECT_EQ(refusal({"https://a.example/", {"message.sent", "attachment.deleted"}, {}}),
              &reasons::invalid_parameter);
    EXPECT_EQ(refusal({"https://a.example/", events, {"5550100001"}}),
              &reasons::invalid_phone_number);
    EXPECT_EQ(refusal({"https://a.example/", events, {"+15550100002"}}),
              &reasons::phone_permission_denied);
    EXPECT_EQ(refusal({"https://a.example/", events, {"+15550100009"}}),
              &reasons::phone_permission_denied);
    EXPECT_TRUE(run(service.list(alice))->empty());
}

TEST_F(WebhookServiceTest, a_target_is_taken_once_a_partner_and_a_query_makes_another) {
    const CreateSubscription command{"https://a.example/", {"message.sent"}, {}};
    create(command);
    EXPECT_EQ(reason_of(run(service.create(alice, command))), &reasons::state_conflict);
    EXPECT_TRUE(run(service.create(bob, command)));
    const auto other = create({"https://a.example/?x", {"message.sent"}, {}});
    UpdateSubscription to_taken;
    to_taken.target_url = "https://a.example/";
    EXPECT_EQ(reason_of(run(service.update(alice, other.subscription.id, to_taken))),
              &reasons::state_conflict);
    UpdateSubscription to_own;
    to_own.target_url = "https://a.example/?x";
    EXPECT_TRUE(run(service.update(alice, other.subscription.id, to_own)));
}

TEST_F(WebhookServiceTest, an_update_changes_what_it_names_and_keeps_the_secret) {
    const auto made = create({"https://a.example/", {"message.sent"}, {"+15550100001"}});
    clock.advance(std::chrono::seconds(5));
    UpdateSubscription command;
    command.events = {"message.read"};
    command.phone_numbers.emplace();
    command.is_active = false;
    const auto updated = run(service.update(alice, made.subscription.id, command));
    ASSERT_TRUE(updated);
    EXPECT_EQ(updated->target_url, "https://a.example/");
    EXPECT_EQ(updated->events, std::vector<std::string>{"message.read"});
    EXPECT_TRUE(updated->phone_numbers.empty());
    EXPECT_FALSE(updated->is_active);
    EXPECT_EQ(updated->created_at, made.subscription.created_at);
    EXPECT_EQ(updated->updated_at, clock.now());
    const auto rows = run(database->read(
        [this](meta::Session& session) { return meta::subscriptions_of(session, alice); }));
    EXPECT_EQ(secrets.open(made.subscription.id, rows->at(0).sealed_secret), made.secret);
}

TEST_F(WebhookServiceTest, a_foreign_subscription_is_an_unknown_one) {
    const auto made = create({"https://a.example/", {"message.sent"}, {}});
    for (const SubscriptionId id : {made.subscription.id, SubscriptionId::random()}) {
        EXPECT_EQ(reason_of(run(service.find(bob, id))), &reasons::subscription_not_found);
        EXPECT_EQ(reason_of(run(service.update(bob, id, {}))), &reasons::subscription_not_found);
        EXPECT_EQ(reason_of(run(service.remove(bob, id))), &reasons::subscription_not_found);
    }
    EXPECT_EQ(run(service.list(alice))->size(), 1U);
    EXPECT_TRUE(run(service.remove(alice, made.subscription.id)));
    EXPECT_EQ(reason_of(run(service.remove(alice, made.subscription.id))),
              &reasons::subscription_not_found);
}

TEST_F(WebhookServiceTest, a_partner_has_a_bounded_number_of_subscriptions) {
    for (std::size_t i = 0; i < limits::webhook_subscriptions_max; ++i) {
        create({"https://a.example/" + std::to_string(i), {"message.sent"}, {}});
    }
    EXPECT_EQ(reason_of(run(service.create(alice, {"https://a.example/", {"message.sent"}, {}}))),
              &reasons::state_conflict);
}

TEST_F(WebhookServiceTest, replaying_what_was_not_given_up_is_an_error) {
    EXPECT_EQ(reason_of(run(service.replay(EventId::random()))), &reasons::resource_not_found);
    EXPECT_EQ(*run(service.replay_all()), 0U);
}

}  // namespace
}  // namespace satchel
