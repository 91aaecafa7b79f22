#include "base/rfc3339.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

std::string again(std::string_view text) {
    const auto time = parse_rfc3339(text);
    return time ? to_rfc3339(*time) : "refused";
}

TEST(Rfc3339, what_we_write_we_read) {
    for (const char* text : {"2026-01-02T03:04:05.678901Z", "1970-01-01T00:00:00.000000Z",
                             "2024-02-29T23:59:59.999999Z"}) {
        EXPECT_EQ(again(text), text);
    }
}

TEST(Rfc3339, fractions_and_offsets_are_understood) {
    EXPECT_EQ(again("2026-01-02T03:04:05Z"), "2026-01-02T03:04:05.000000Z");
    EXPECT_EQ(again("2026-01-02T03:04:05.5Z"), "2026-01-02T03:04:05.500000Z");
    EXPECT_EQ(again("2026-01-02T03:04:05.123456789Z"), "2026-01-02T03:04:05.123456Z");
    EXPECT_EQ(again("2026-01-02T03:04:05+02:30"), "2026-01-02T00:34:05.000000Z");
    EXPECT_EQ(again("2025-12-31T23:04:05-01:00"), "2026-01-01T00:04:05.000000Z");
}

TEST(Rfc3339, anything_else_is_no_time) {
    for (const char* text :
         {"", "2026", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z",
          "2026-02-30T03:04:05Z", "2026-13-02T03:04:05Z", "2026-01-02T24:04:05Z",
          "2026-01-02T03:04:60Z", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05Zx",
          "2026-01-02T03:04:05+2:00", "+026-01-02T03:04:05Z", "2026-01-02T03:04:05z"}) {
        EXPECT_EQ(again(text), "refused") << text;
    }
}

}  // namespace
}  // namespace satchel
