#include "base/result.hpp"

#include "base/async.hpp"
#include "tests/support/run.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace satchel {
namespace {

constexpr Reason too_odd{1234, 418, Errc::conflict, "Send an even number"};

Result<int> half(int value) {
    if (value % 2 != 0) return fail(too_odd);
    return value / 2;
}

Result<int> quarter(int value) {
    TRY(const int once, half(value));
    TRY(const int twice, half(once));
    return twice;
}

Result<> check_quarter(int value) {
    CHECK(half(value));
    CHECK(quarter(value));
    return {};
}

Async<int> quarter_later(int value) {
    CO_TRY(const int once, half(value));
    CO_CHECK(half(once));
    co_return once / 2;
}

TEST(ResultTest, try_takes_the_value_or_hands_the_error_on) {
    EXPECT_EQ(quarter(12).value(), 3);
    EXPECT_EQ(quarter(6).error().reason, &too_odd);
    EXPECT_EQ(quarter(5).error().code, Errc::conflict);
}

TEST(ResultTest, check_hands_the_error_on) {
    EXPECT_TRUE(check_quarter(12).has_value());
    EXPECT_EQ(check_quarter(6).error().reason, &too_odd);
}

TEST(ResultTest, a_coroutine_hands_errors_on_too) {
    EXPECT_EQ(test::run(quarter_later(12)).value(), 3);
    EXPECT_EQ(test::run(quarter_later(6)).error().reason, &too_odd);
    EXPECT_EQ(test::run(quarter_later(7)).error().reason, &too_odd);
}

TEST(ResultTest, try_moves_what_cannot_be_copied) {
    const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
    const auto take = [&make]() -> Result<int> {
        TRY(const auto owned, make());
        return *owned;
    };
    EXPECT_EQ(take().value(), 7);
}

TEST(ResultTest, a_public_failure_has_a_reason_and_a_private_one_only_a_detail) {
    const Result<> shown = fail(too_odd, "5 is odd; send an even number");
    EXPECT_EQ(shown.error().code, Errc::conflict);
    EXPECT_EQ(shown.error().message, "5 is odd; send an even number");
    EXPECT_TRUE(shown.error().detail.empty());

    const Result<> hidden = fail(Errc::corrupt, "page 7");
    EXPECT_EQ(hidden.error().reason, nullptr);
    EXPECT_TRUE(hidden.error().message.empty());
    EXPECT_EQ(hidden.error().detail, "page 7");
}

TEST(ResultDeathTest, a_broken_invariant_stops_the_process_and_says_where) {
    EXPECT_DEATH(ASSERT(1 + 1 == 3), "1 \\+ 1 == 3.*result_test");
    ASSERT(1 + 1 == 2);
}

}  // namespace
}  // namespace satchel
