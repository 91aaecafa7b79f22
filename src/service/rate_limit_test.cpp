#include "service/rate_limit.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

constexpr Time noon{std::chrono::hours(12)};

TEST(RateLimit, lets_so_many_through_and_says_when_the_next_may_come) {
    RateLimit limit(2);
    const PartnerId partner = PartnerId::random();
    EXPECT_TRUE(limit.take(partner, noon));
    EXPECT_TRUE(limit.take(partner, noon + std::chrono::seconds(10)));
    const auto refused = limit.take(partner, noon + std::chrono::seconds(15));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().retry_after_seconds, 45U);
    EXPECT_EQ(refused.error().message, "Rate limited. Try again in 45 seconds.");
    EXPECT_TRUE(limit.take(partner, noon + std::chrono::seconds(60)));
}

TEST(RateLimit, one_partner_does_not_use_up_anothers) {
    RateLimit limit(1);
    EXPECT_TRUE(limit.take(PartnerId::random(), noon));
    EXPECT_TRUE(limit.take(PartnerId::random(), noon));
}

TEST(RateLimit, zero_is_no_limit) {
    RateLimit limit(0);
    const PartnerId partner = PartnerId::random();
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limit.take(partner, noon));
}

}  // namespace
}  // namespace satchel
