#include "media/memory_budget.hpp"

#include "base/limits.hpp"
#include "tests/support/run.hpp"

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <list>
#include <optional>
#include <vector>

namespace satchel::media {
namespace {

using namespace std::chrono_literals;
using Reservation = MemoryBudget::Reservation;

constexpr auto never = std::chrono::steady_clock::time_point::max();

// Reservations under way on one loop, which the test turns by hand.
class MemoryBudgetTest : public testing::Test {
protected:
    struct Wait {
        asio::cancellation_signal cancel;
        std::optional<Result<Reservation>> result;
        bool has_ended = false;
        bool is_granted() const { return result && *result; }
        Errc error() const { return result && !*result ? result->error().code : Errc{}; }
    };

    Wait& begin(std::uint64_t bytes, MemoryBudget::Time until = never) {
        Wait& wait = waits_.emplace_back();
        asio::co_spawn(kept_.loop(), budget.reserve(bytes, until),
                       asio::bind_cancellation_slot(
                           wait.cancel.slot(),
                           [&wait](const std::exception_ptr& error, Result<Reservation> result) {
                               wait.has_ended = true;
                               if (!error) wait.result.emplace(std::move(result));
                           }));
        turn();
        return wait;
    }
    void turn() {
        kept_.loop().restart();
        kept_.loop().poll();
    }
    void run_to_end() {
        kept_.loop().restart();
        kept_.loop().run();
    }
    void release(Wait& wait) {
        wait.result.reset();
        turn();
    }

    MemoryBudget budget{100};

private:
    test::KeptLoop kept_;
    std::list<Wait> waits_;
};

TEST_F(MemoryBudgetTest, what_fits_is_given_at_once_and_comes_back) {
    Wait& first = begin(60);
    Wait& second = begin(40);
    EXPECT_TRUE(first.is_granted());
    EXPECT_TRUE(second.is_granted());
    EXPECT_EQ((*first.result)->bytes(), 60U);
    EXPECT_EQ(budget.free_bytes(), 0U);
    release(first);
    EXPECT_EQ(budget.free_bytes(), 60U);
    release(second);
    EXPECT_EQ(budget.free_bytes(), 100U);
}

TEST_F(MemoryBudgetTest, more_than_there_is_in_all_is_too_large) {
    EXPECT_EQ(begin(101).error(), Errc::too_large);
    EXPECT_TRUE(begin(100).is_granted());
}

TEST_F(MemoryBudgetTest, turns_come_in_order_so_that_a_big_job_is_not_passed_by_small_ones) {
    Wait& running = begin(60);
    Wait& big = begin(80);
    Wait& small = begin(10);
    EXPECT_FALSE(big.has_ended);
    EXPECT_FALSE(small.has_ended) << "it would fit, but comes later";
    release(running);
    EXPECT_TRUE(big.is_granted());
    EXPECT_TRUE(small.is_granted());
    EXPECT_EQ(budget.free_bytes(), 10U);
}

TEST_F(MemoryBudgetTest, patience_ends_and_the_queue_goes_on) {
    Wait& running = begin(60);
    Wait& big = begin(80, std::chrono::steady_clock::now() + 10ms);
    Wait& small = begin(10);
    run_to_end();
    EXPECT_EQ(big.error(), Errc::unavailable);
    EXPECT_TRUE(small.is_granted()) << "nobody is before it any more";
    EXPECT_EQ(budget.free_bytes(), 30U);
    EXPECT_TRUE(running.is_granted());
}

TEST_F(MemoryBudgetTest, a_cancelled_wait_leaves_the_queue) {
    Wait& running = begin(60);
    Wait& big = begin(80);
    Wait& small = begin(10);
    big.cancel.emit(asio::cancellation_type::terminal);
    turn();
    EXPECT_TRUE(big.has_ended);
    EXPECT_FALSE(big.is_granted());
    EXPECT_TRUE(small.is_granted());
    release(small);
    release(running);
    EXPECT_EQ(budget.free_bytes(), 100U);
}

// The turn has come, the coroutine has not gone on yet, and is cancelled.
TEST_F(MemoryBudgetTest, what_was_granted_to_one_that_is_cancelled_is_not_lost) {
    Wait& running = begin(100);
    Wait& next = begin(100);
    running.result.reset();
    next.cancel.emit(asio::cancellation_type::terminal);
    turn();
    EXPECT_TRUE(next.has_ended);
    next.result.reset();
    EXPECT_EQ(budget.free_bytes(), 100U);
}

TEST_F(MemoryBudgetTest, too_many_waiting_are_refused_at_once) {
    Wait& running = begin(100);
    for (std::size_t i = 0; i < limits::media_jobs_waiting_max; ++i) {
        ASSERT_FALSE(begin(1).has_ended) << i;
    }
    EXPECT_EQ(begin(1).error(), Errc::unavailable);
    budget.stop();
    turn();
    EXPECT_TRUE(running.is_granted());
}

TEST_F(MemoryBudgetTest, stop_refuses_who_waits_and_who_comes_later) {
    Wait& running = begin(100);
    Wait& waiting = begin(10);
    Wait& other = begin(10);
    budget.stop();
    turn();
    EXPECT_EQ(waiting.error(), Errc::unavailable);
    EXPECT_EQ(other.error(), Errc::unavailable);
    EXPECT_EQ(begin(1).error(), Errc::unavailable);
    release(running);
    EXPECT_EQ(budget.free_bytes(), 100U);
    EXPECT_EQ(begin(1).error(), Errc::unavailable);
}

}  // namespace
}  // namespace satchel::media
