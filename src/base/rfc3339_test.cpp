#include "base/rfc3339.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

TEST(Rfc3339, what_was_written_is_read_back) {
    for (const std::int64_t micros : {0LL, 1LL, 1'767'323'045'678'901LL, 4'102'444'799'999'999LL}) {
        const Time time = from_micros(micros);
        EXPECT_EQ(parse_rfc3339(to_rfc3339(time)), time) << to_rfc3339(time);
    }
}

TEST(Rfc3339, a_fraction_and_the_time_of_day_may_be_left_out) {
    EXPECT_EQ(parse_rfc3339("2026-01-02"), parse_rfc3339("2026-01-02T00:00:00Z"));
    EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05.5Z"),
              parse_rfc3339("2026-01-02T03:04:05.500000Z"));
    EXPECT_EQ(parse_rfc3339("2024-02-29"), parse_rfc3339("2024-02-29T00:00:00Z"));
}

TEST(Rfc3339, anything_else_is_refused) {
    for (const char* text : {"",
                             "2026",
                             "2026-1-2",
                             "2026-01-02T",
                             "2026-01-02T03:04Z",
                             "2026-01-02T03:04:05",
                             "2026-01-02 03:04:05Z",
                             "2026-01-02T03:04:05+01:00",
                             "2026-01-02T24:00:00Z",
                             "2026-01-02T23:60:00Z",
                             "2026-01-02T23:59:60Z",
                             "2026-02-29",
                             "2026-13-01",
                             "2026-00-01",
                             "2026-01-00",
                             "2026-01-02T03:04:05.Z",
                             "2026-01-02T03:04:05.1234567Z",
                             "2026-01-02T03:04:05.12x4Z",
                             "2026-01-02T03:04:05xZ",
                             "2026-01-02T03:04:05ZZ",
                             "2026-01-0x",
                             "2O26-01-02"}) {
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    }
}

}  // namespace
}  // namespace satchel
