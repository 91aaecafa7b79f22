#include "model/byte_range.hpp"

#include "base/limits.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace satchel {
namespace {

using Kind = RangeRequest::Kind;
using Ranges = std::vector<ByteRange>;

constexpr std::uint64_t size = 1000;

Kind kind_of(std::string_view value) {
    return parse_range(value, size).kind;
}

Ranges ranges_of(std::string_view value, std::uint64_t of = size) {
    const RangeRequest request = parse_range(value, of);
    EXPECT_EQ(request.kind, Kind::partial) << value;
    return request.ranges;
}

TEST(ByteRangeTest, a_range_is_bounded_open_or_a_suffix) {
    EXPECT_EQ(ranges_of("bytes=0-0"), (Ranges{{0, 0}}));
    EXPECT_EQ(ranges_of("bytes=10-19"), (Ranges{{10, 19}}));
    EXPECT_EQ(ranges_of("bytes=990-"), (Ranges{{990, 999}}));
    EXPECT_EQ(ranges_of("bytes=-1"), (Ranges{{999, 999}}));
    EXPECT_EQ(ranges_of("bytes=-10"), (Ranges{{990, 999}}));
}

TEST(ByteRangeTest, a_range_ends_with_the_file) {
    EXPECT_EQ(ranges_of("bytes=990-1000"), (Ranges{{990, 999}}));
    EXPECT_EQ(ranges_of("bytes=-1000"), (Ranges{{0, 999}}));
    EXPECT_EQ(ranges_of("bytes=-5000"), (Ranges{{0, 999}}));
    EXPECT_EQ(ranges_of("bytes=0-", 1), (Ranges{{0, 0}}));
}

TEST(ByteRangeTest, numbers_beyond_64_bits_mean_beyond_the_file) {
    EXPECT_EQ(ranges_of("bytes=5-18446744073709551615"), (Ranges{{5, 999}}));
    EXPECT_EQ(ranges_of("bytes=5-18446744073709551616"), (Ranges{{5, 999}}));
    EXPECT_EQ(ranges_of("bytes=-99999999999999999999999999"), (Ranges{{0, 999}}));
    EXPECT_EQ(kind_of("bytes=99999999999999999999999999-"), Kind::unsatisfiable);
    const std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(ranges_of("bytes=0-0,-1", max), (Ranges{{0, 0}, {max - 1, max - 1}}));
}

TEST(ByteRangeTest, the_unit_is_read_without_case_and_blanks_stand_around_commas) {
    EXPECT_EQ(ranges_of("Bytes=1-2"), (Ranges{{1, 2}}));
    EXPECT_EQ(ranges_of("bytes= 1-2 ,\t4-5"), (Ranges{{1, 2}, {4, 5}}));
    EXPECT_EQ(ranges_of("bytes=,1-2,,4-5, "), (Ranges{{1, 2}, {4, 5}}));
}

TEST(ByteRangeTest, ranges_keep_the_order_asked_for) {
    EXPECT_EQ(ranges_of("bytes=500-599,0-99,-1"), (Ranges{{500, 599}, {0, 99}, {999, 999}}));
}

TEST(ByteRangeTest, overlapping_and_adjacent_ranges_become_one) {
    EXPECT_EQ(ranges_of("bytes=0-9,10-19"), (Ranges{{0, 19}}));
    EXPECT_EQ(ranges_of("bytes=10-19,0-9"), (Ranges{{0, 19}}));
    EXPECT_EQ(ranges_of("bytes=0-9,5-14,14-14"), (Ranges{{0, 14}}));
    EXPECT_EQ(ranges_of("bytes=0-,-1"), (Ranges{{0, 999}}));
    EXPECT_EQ(ranges_of("bytes=0-9,11-19"), (Ranges{{0, 9}, {11, 19}}));
    // The third joins the first two, where the first stood.
    EXPECT_EQ(ranges_of("bytes=100-199,0-9,300-399,150-350,9-10"), (Ranges{{100, 399}, {0, 10}}));
}

TEST(ByteRangeTest, what_cannot_be_satisfied_is_left_out) {
    EXPECT_EQ(ranges_of("bytes=5000-,0-0,1000-1000,-0"), (Ranges{{0, 0}}));
}

TEST(ByteRangeTest, unsatisfiable_means_that_no_range_can_be_satisfied) {
    for (const std::string_view value :
         {"bytes=1000-", "bytes=1000-1000", "bytes=-0", "bytes=2000-3000, -0 ,1000-"}) {
        EXPECT_EQ(kind_of(value), Kind::unsatisfiable) << value;
        EXPECT_TRUE(parse_range(value, size).ranges.empty());
    }
}

TEST(ByteRangeTest, what_is_malformed_is_answered_whole) {
    for (const std::string_view value :
         {"",          "bytes",         "bytes=",        "bytes=,",     "bytes= , ,",
          "bytes=-",   "bytes=--1",     "bytes=1--2",    "bytes=1-2-3", "bytes=2-1",
          "bytes=a-b", "bytes=1-b",     "bytes=0x1-2",   "bytes=+1-2",  "bytes=1 - 2",
          "bytes=1",   "bytes=0-0,2-1", "bytes=0-0;1-1", "bytes =0-0",  "items=0-0",
          "=0-0",      "0-0",           "bytes=0-0\n"}) {
        EXPECT_EQ(kind_of(value), Kind::whole) << value;
        EXPECT_TRUE(parse_range(value, size).ranges.empty());
    }
}

TEST(ByteRangeTest, more_ranges_than_the_limit_are_answered_whole) {
    std::string value = "bytes=0-0";
    for (std::size_t i = 1; i < limits::ranges_max; ++i) {
        value += ',' + std::to_string(2 * i) + '-' + std::to_string(2 * i);
    }
    EXPECT_EQ(ranges_of(value).size(), limits::ranges_max);
    EXPECT_EQ(kind_of(value + ",999-999"), Kind::whole);
    // They count as asked for, so that merging costs no more than the limit says.
    EXPECT_EQ(kind_of(value + ",0-0"), Kind::whole);
    EXPECT_EQ(kind_of(value + ",5000-"), Kind::whole);
}

// Whatever is asked for, the ranges given are exactly the bytes asked for, apart from one another.
TEST(ByteRangeTest, the_ranges_are_the_set_of_bytes_asked_for) {
    std::mt19937 random(20260101);
    const auto below = [&random](std::uint64_t end) { return random() % end; };
    for (int round = 0; round < 5000; ++round) {
        const std::uint64_t file = 1 + below(40);
        std::vector<bool> wanted(file, false);
        std::string value = "bytes=";
        const std::uint64_t count = 1 + below(limits::ranges_max);
        for (std::uint64_t i = 0; i < count; ++i) {
            std::uint64_t first = below(50);
            std::uint64_t end = first + 1 + below(10);
            if (i > 0) value += below(2) == 0 ? "," : " ,\t";
            if (below(4) == 0) {
                value += '-' + std::to_string(first);
                end = file;
                first = file - std::min(first, file);
            } else if (below(4) == 0) {
                value += std::to_string(first) + '-';
                end = file;
            } else {
                value += std::to_string(first) + '-' + std::to_string(end - 1);
            }
            for (std::uint64_t at = first; at < std::min(end, file); ++at) wanted[at] = true;
        }

        const RangeRequest request = parse_range(value, file);
        std::vector<bool> given(file, false);
        for (const ByteRange& range : request.ranges) {
            ASSERT_LE(range.first, range.last) << value;
            ASSERT_LT(range.last, file) << value;
            // Neither a byte twice nor two ranges where one would do.
            if (range.first > 0) ASSERT_FALSE(given[range.first - 1]) << value;
            if (range.last + 1 < file) ASSERT_FALSE(given[range.last + 1]) << value;
            for (auto at = range.first; at <= range.last; ++at) {
                ASSERT_FALSE(given[at]) << value;
                given[at] = true;
            }
        }
        ASSERT_EQ(given, wanted) << value << " of " << file;
        ASSERT_EQ(request.kind, request.ranges.empty() ? Kind::unsatisfiable : Kind::partial);
    }
}

}  // namespace
}  // namespace satchel
