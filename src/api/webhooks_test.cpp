#include "api/webhooks.hpp"

#include <gtest/gtest.h>

namespace satchel::api {
namespace {

struct Case {
    std::string_view json;
    std::uint16_t code;
};

TEST(CreateSubscriptionBody, is_read_and_null_numbers_are_none) {
    const auto parsed = parse_create_subscription(
        R"({"target_url":"https://a.example/","subscribed_events":["message.sent"],)"
        R"("phone_numbers":null,"extra":1})");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->target_url, "https://a.example/");
    EXPECT_EQ(parsed->events, std::vector<std::string>{"message.sent"});
    EXPECT_TRUE(parsed->phone_numbers.empty());
}

TEST(CreateSubscriptionBody, errors_have_the_codes_of_the_contract) {
    for (const Case& c : {
             Case{"[]", 1003},
             Case{"{}", 1001},
             Case{R"({"target_url":"https://a"})", 1001},
             Case{R"({"subscribed_events":["message.sent"]})", 1001},
             Case{R"({"target_url":"https://a","subscribed_events":null})", 1001},
             Case{R"({"target_url":1,"subscribed_events":["message.sent"]})", 1003},
             Case{R"({"target_url":"https://a","subscribed_events":"message.sent"})", 1003},
             Case{R"({"target_url":"https://a","subscribed_events":[1]})", 1003},
             Case{R"({"target_url":"https://a","subscribed_events":[],"phone_numbers":1})", 1003},
         }) {
        const auto parsed = parse_create_subscription(c.json);
        ASSERT_FALSE(parsed) << c.json;
        EXPECT_EQ(parsed.error().reason->code, c.code) << c.json;
    }
}

TEST(UpdateSubscriptionBody, what_is_absent_stays_and_null_numbers_mean_all) {
    const auto none = parse_update_subscription("{}");
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->target_url || none->events || none->phone_numbers || none->is_active);
    const auto all = parse_update_subscription(
        R"({"target_url":"https://b","subscribed_events":["message.read"],)"
        R"("phone_numbers":null,"is_active":false})");
    ASSERT_TRUE(all);
    EXPECT_EQ(all->target_url, "https://b");
    EXPECT_EQ(all->events, std::vector<std::string>{"message.read"});
    EXPECT_EQ(all->phone_numbers, std::vector<std::string>{});
    EXPECT_EQ(all->is_active, false);
}

TEST(UpdateSubscriptionBody, wrong_types_are_refused) {
    for (const std::string_view body :
         {R"({"target_url":1})", R"({"subscribed_events":null})", R"({"phone_numbers":"+1555"})",
          R"({"is_active":"yes"})", R"({"is_active":null})"}) {
        const auto parsed = parse_update_subscription(body);
        ASSERT_FALSE(parsed) << body;
        EXPECT_EQ(parsed.error().reason->code, 1003) << body;
    }
}

}  // namespace
}  // namespace satchel::api
