#include "model/webhook_subscription.hpp"

#include <gtest/gtest.h>

#include <set>

namespace satchel {
namespace {

using namespace std::chrono_literals;

constexpr Time before_2026_02_03{1'769'990'000s};
constexpr Time after_2026_02_03{1'770'100'000s};

TEST(PayloadVersion, the_query_of_the_target_decides) {
    const auto version = [](std::string_view url) {
        return to_string(payload_version(url, after_2026_02_03));
    };
    EXPECT_EQ(version("https://a.example/hook?version=2025-01-01"), "2025-01-01");
    EXPECT_EQ(version("https://a.example/hook?x=1&version=2026-02-03"), "2026-02-03");
    EXPECT_EQ(version("https://a.example/hook?version=2025-12-31#f"), "2025-01-01");
    EXPECT_EQ(version("https://a.example/hook?version=2030-01-01"), "2026-02-03");
    EXPECT_EQ(version("https://a.example/hook?version=2020-01-01"), "2025-01-01");
}

TEST(PayloadVersion, without_a_date_the_day_of_creation_decides) {
    for (const std::string_view url :
         {"https://a.example/hook", "https://a.example/hook?version=", "https://a.example/?v=2025",
          "https://a.example/?version=new", "https://a.example/#?version=2025-01-01"}) {
        EXPECT_EQ(to_string(payload_version(url, before_2026_02_03)), "2025-01-01") << url;
        EXPECT_EQ(to_string(payload_version(url, after_2026_02_03)), "2026-02-03") << url;
    }
}

TEST(WebhookSubscription, wants_what_it_subscribed_to_on_its_numbers) {
    WebhookSubscription all;
    all.events = {"message.sent", "message.read"};
    EXPECT_TRUE(all.wants("message.sent", "+15550100001"));
    EXPECT_FALSE(all.wants("message.failed", "+15550100001"));
    WebhookSubscription one = all;
    one.phone_numbers = {"+15550100002"};
    EXPECT_FALSE(one.wants("message.sent", "+15550100001"));
    EXPECT_TRUE(one.wants("message.sent", "+15550100002"));
    EXPECT_TRUE(one.wants("message.sent", ""));
    one.is_active = false;
    EXPECT_FALSE(one.wants("message.sent", "+15550100002"));
}

TEST(WebhookEventTypes, are_the_45_of_the_contract_each_once) {
    const auto& types = webhook_event_types();
    EXPECT_EQ(types.size(), 45U);
    EXPECT_EQ(std::set(types.begin(), types.end()).size(), 45U);
    EXPECT_TRUE(is_webhook_event_type("poll.vote.removed"));
    EXPECT_FALSE(is_webhook_event_type("attachment.deleted"));
}

}  // namespace
}  // namespace satchel
