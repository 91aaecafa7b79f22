#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

using namespace std::chrono_literals;

// 2026-01-02T03:04:05.678901Z
constexpr Time sample{Duration{1767323045678901}};

TEST(ClockTest, a_fixed_clock_stands_until_it_is_moved) {
    Clock clock(sample);
    EXPECT_EQ(clock.now(), sample);
    EXPECT_EQ(clock.now(), sample);
    clock.advance(15min);
    EXPECT_EQ(clock.now(), sample + 15min);
    clock.advance(-1h);
    EXPECT_EQ(clock.now(), sample - 45min);
}

TEST(ClockTest, a_running_clock_follows_the_system_and_can_be_moved) {
    Clock clock;
    const auto before = std::chrono::system_clock::now();
    const Time now = clock.now();
    const auto after = std::chrono::system_clock::now();
    EXPECT_GE(now, std::chrono::time_point_cast<Duration>(before));
    EXPECT_LE(now, std::chrono::time_point_cast<Duration>(after));
    clock.advance(24h);
    EXPECT_GE(clock.now(), now + 24h);
}

TEST(ClockTest, rfc_3339_has_six_fraction_digits_or_none) {
    EXPECT_EQ(to_rfc3339(sample), "2026-01-02T03:04:05.678901Z");
    EXPECT_EQ(to_rfc3339_seconds(sample), "2026-01-02T03:04:05Z");
    EXPECT_EQ(to_rfc3339(Time{}), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(to_rfc3339(Time{} + 1us), "1970-01-01T00:00:00.000001Z");
}

TEST(ClockTest, seconds_are_rounded_down_before_the_epoch_too) {
    EXPECT_EQ(to_rfc3339_seconds(Time{} - 1us), "1969-12-31T23:59:59Z");
    EXPECT_EQ(to_rfc3339(Time{} - 1us), "1969-12-31T23:59:59.999999Z");
}

TEST(ClockTest, http_dates_have_english_names_and_two_digits) {
    EXPECT_EQ(to_http_date(sample), "Fri, 02 Jan 2026 03:04:05 GMT");
    EXPECT_EQ(to_http_date(from_micros(1709164800000000)), "Thu, 29 Feb 2024 00:00:00 GMT");
    EXPECT_EQ(to_http_date(from_micros(784111777000000)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(ClockTest, micros_come_back) {
    EXPECT_EQ(from_micros(to_micros(sample)), sample);
}

}  // namespace
}  // namespace satchel
