#include "webhook/retry_schedule.hpp"

#include <gtest/gtest.h>

namespace satchel::webhook {
namespace {

using namespace std::chrono_literals;

TEST(RetrySchedule, ten_attempts_are_spread_over_about_25_minutes) {
    Duration total{};
    for (std::uint32_t attempts = 1; attempts < 10; ++attempts) {
        const auto wait = wait_after(attempts, 0.5);
        ASSERT_TRUE(wait);
        EXPECT_NEAR(static_cast<double>(wait->count()), 3e6 * (1U << (attempts - 1)), 2);
        total += *wait;
    }
    EXPECT_NEAR(static_cast<double>(total.count()), 1533e6, 20);
    EXPECT_FALSE(wait_after(10, 0.5));
    EXPECT_FALSE(wait_after(11, 0.5));
}

TEST(RetrySchedule, the_dice_move_a_wait_by_a_tenth_at_most) {
    EXPECT_EQ(wait_after(1, 0.0), Duration(2'700ms));
    EXPECT_LE(*wait_after(1, 1.0), Duration(3'300ms));
    EXPECT_GE(*wait_after(1, 0.999), Duration(3'299ms));
}

}  // namespace
}  // namespace satchel::webhook
