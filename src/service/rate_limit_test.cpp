#include "service/rate_limit.hpp"

#include "model/api_errors.hpp"
#include "service/call_limiter.hpp"

#include <gtest/gtest.h>

#include <random>
#include <thread>

namespace satchel {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time noon{std::chrono::hours(12)};

TEST(RateLimit, lets_so_many_through_and_says_when_the_next_may_come) {
    RateLimit limit;
    const PartnerId partner = PartnerId::random();
    EXPECT_TRUE(limit.take(partner, 2, noon));
    EXPECT_TRUE(limit.take(partner, 2, noon + seconds(10)));
    const auto refused = limit.take(partner, 2, noon + seconds(15));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, &reasons::rate_limited);
    EXPECT_EQ(refused.error().retry_after_seconds, 45U);
    EXPECT_EQ(refused.error().message, "Rate limited. Try again in 45 seconds.");
    EXPECT_TRUE(limit.take(partner, 2, noon + seconds(60)));
    EXPECT_FALSE(limit.take(partner, 2, noon + seconds(69)));
    EXPECT_TRUE(limit.take(partner, 2, noon + seconds(70)));
}

TEST(RateLimit, whoever_waits_as_told_finds_room_and_whoever_waits_less_does_not) {
    std::mt19937 random(5);
    for (int round = 0; round < 200; ++round) {
        RateLimit limit;
        const PartnerId partner = PartnerId::random();
        const std::uint32_t max = 1 + random() % 20;
        Time now = noon;
        std::uint32_t wait = 0;
        for (int call = 0; call < 200 && wait == 0; ++call) {
            now += milliseconds(random() % 4000);
            const auto taken = limit.take(partner, max, now);
            if (!taken) wait = taken.error().retry_after_seconds;
        }
        if (wait == 0) continue;
        ASSERT_LE(wait, 60U);
        EXPECT_FALSE(limit.take(partner, max, now + seconds(wait) - seconds(1)));
        EXPECT_TRUE(limit.take(partner, max, now + seconds(wait)));
    }
}

TEST(RateLimit, no_sixty_seconds_in_a_row_have_more) {
    std::mt19937 random(6);
    RateLimit limit;
    const PartnerId partner = PartnerId::random();
    constexpr std::uint32_t max = 50;
    std::vector<std::uint32_t> taken(600);
    for (std::size_t second = 0; second < taken.size(); ++second) {
        for (auto calls = random() % 8; calls > 0; --calls) {
            taken[second] += limit.take(partner, max, noon + seconds(second)) ? 1 : 0;
        }
    }
    std::uint32_t most = 0;
    for (std::size_t first = 0; first + 60 <= taken.size(); ++first) {
        std::uint32_t sum = 0;
        for (std::size_t i = first; i < first + 60; ++i) sum += taken[i];
        most = std::max(most, sum);
    }
    EXPECT_EQ(most, max);
}

TEST(RateLimit, what_is_refused_does_not_count) {
    RateLimit limit;
    const PartnerId partner = PartnerId::random();
    EXPECT_TRUE(limit.take(partner, 1, noon));
    for (int i = 1; i < 60; ++i) EXPECT_FALSE(limit.take(partner, 1, noon + seconds(i)));
    EXPECT_TRUE(limit.take(partner, 1, noon + seconds(60)));
}

TEST(RateLimit, one_partner_does_not_use_up_anothers) {
    RateLimit limit;
    EXPECT_TRUE(limit.take(PartnerId::random(), 1, noon));
    EXPECT_TRUE(limit.take(PartnerId::random(), 1, noon));
}

TEST(RateLimit, zero_is_no_limit_and_remembers_nobody) {
    RateLimit limit;
    const PartnerId partner = PartnerId::random();
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limit.take(partner, 0, noon));
    EXPECT_EQ(limit.size(), 0U);
}

TEST(RateLimit, who_has_not_called_for_a_minute_is_forgotten) {
    RateLimit limit;
    for (int i = 0; i < 100'000; ++i) {
        EXPECT_TRUE(limit.take(PartnerId::random(), 1, noon + milliseconds(60 * i)));
    }
    EXPECT_LT(limit.size(), 10'000U);  // A thousand call in a minute.
}

TEST(RateLimit, is_exact_when_threads_call_at_once) {
    RateLimit limit;
    const PartnerId partner = PartnerId::random();
    std::atomic<int> taken = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int call = 0; call < 1000; ++call) taken += limit.take(partner, 500, noon) ? 1 : 0;
        });
    }
    threads.clear();
    EXPECT_EQ(taken, 500);
}

TEST(RateLimit, a_clock_that_goes_back_lets_nobody_in_early_and_locks_nobody_out) {
    RateLimit limit;
    const PartnerId partner = PartnerId::random();
    EXPECT_TRUE(limit.take(partner, 1, noon));
    const auto refused = limit.take(partner, 1, noon - std::chrono::hours(1));
    ASSERT_FALSE(refused);
    EXPECT_LE(refused.error().retry_after_seconds, 60U);
    EXPECT_TRUE(limit.take(partner, 1, noon + seconds(60)));
}

TEST(CallLimiter, counts_each_kind_apart_and_a_partners_own_rate_goes_before_the_servers) {
    CallLimiter limiter({.requests = 3, .creates = 1, .sends = 2});
    const Caller caller{PartnerId::random(), ApiKeyId::random(), {}};
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.take(caller, noon));
    EXPECT_FALSE(limiter.take(caller, noon));
    EXPECT_TRUE(limiter.take_kind(caller, CallKind::create, noon));
    EXPECT_FALSE(limiter.take_kind(caller, CallKind::create, noon));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(limiter.take_kind(caller, CallKind::send, noon));
    EXPECT_FALSE(limiter.take_kind(caller, CallKind::send, noon));
    for (int i = 0; i < 9; ++i) EXPECT_TRUE(limiter.take_kind(caller, CallKind::other, noon));

    Caller special{PartnerId::random(), ApiKeyId::random(), {}};
    special.rates = {.requests = 0, .creates = 2, .sends = std::nullopt};
    for (int i = 0; i < 9; ++i) EXPECT_TRUE(limiter.take(special, noon));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(limiter.take_kind(special, CallKind::create, noon));
    EXPECT_FALSE(limiter.take_kind(special, CallKind::create, noon));
}

}  // namespace
}  // namespace satchel
