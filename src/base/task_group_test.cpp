#include "base/task_group.hpp"

#include "tests/support/run.hpp"

#include <boost/asio/steady_timer.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

namespace satchel {
namespace {

using namespace std::chrono_literals;

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         Loop::executor_type>;

// Counts how many of its copies are alive, as a stand-in for what a task owns.
using Owned = std::shared_ptr<int>;

Task<> end_at_once(Owned owned) {
    ++*owned;
    co_return;
}

Task<> end_after_yields(Owned owned, int count) {
    for (int i = 0; i < count; ++i) co_await yield();
    ++*owned;
}

Task<> wait_for_cancellation(Owned owned) {
    Timer forever(co_await asio::this_coro::executor, Timer::time_point::max());
    try {
        co_await forever.async_wait(use_task);
    } catch (const boost::system::system_error& error) {
        *owned = error.code() == asio::error::operation_aborted ? -1 : -2;
        throw;
    }
}

// Needs some turns of the loop to put things in order after it was cancelled.
Task<> tidy_up_when_cancelled(Owned owned) {
    Timer forever(co_await asio::this_coro::executor, Timer::time_point::max());
    bool cancelled = false;
    try {
        co_await forever.async_wait(use_task);
    } catch (const boost::system::system_error&) {
        cancelled = true;
    }
    co_await asio::this_coro::reset_cancellation_state();
    for (int i = 0; i < 5; ++i) co_await yield();
    *owned = cancelled ? 5 : 0;
}

Task<> throw_something(Owned owned) {
    ++*owned;
    co_await yield();
    throw std::runtime_error("on purpose");
}

struct TaskGroupTest : testing::Test {
    Loop loop{1};
    TaskGroup group{loop};
    Owned owned = std::make_shared<int>(0);

    // Runs stop() to its end on the loop that the tasks live on.
    void stop(std::chrono::steady_clock::duration patience) {
        bool ended = false;
        asio::co_spawn(loop, group.stop(patience), [&ended](const std::exception_ptr& error) {
            EXPECT_FALSE(error);
            ended = true;
        });
        loop.restart();
        loop.run();
        EXPECT_TRUE(ended);
        EXPECT_EQ(group.size(), 0U);
    }
};

TEST_F(TaskGroupTest, tasks_run_and_leave_the_group) {
    group.spawn("first", end_at_once(owned));
    group.spawn("second", end_after_yields(owned, 3));
    EXPECT_EQ(group.size(), 2U);
    loop.run();
    EXPECT_EQ(*owned, 2);
    EXPECT_EQ(group.size(), 0U);
    EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(TaskGroupTest, stopping_an_empty_group_ends_at_once) {
    stop(1h);
}

TEST_F(TaskGroupTest, stop_waits_for_what_ends_by_itself) {
    group.spawn("slow", end_after_yields(owned, 100));
    stop(1h);
    EXPECT_EQ(*owned, 1);
}

TEST_F(TaskGroupTest, stop_cancels_what_does_not_end) {
    const Owned other = std::make_shared<int>(0);
    group.spawn("endless", wait_for_cancellation(owned));
    group.spawn("endless", wait_for_cancellation(other));
    stop(0ms);
    EXPECT_EQ(*owned, -1);
    EXPECT_EQ(*other, -1);
    EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(TaskGroupTest, stop_waits_for_a_cancelled_task_to_tidy_up) {
    group.spawn("tidy", tidy_up_when_cancelled(owned));
    stop(0ms);
    EXPECT_EQ(*owned, 5);
}

TEST_F(TaskGroupTest, an_exception_ends_its_task_and_no_other) {
    group.spawn("thrower", throw_something(owned));
    group.spawn("steady", end_after_yields(owned, 10));
    stop(1h);
    EXPECT_EQ(*owned, 2);
}

TEST_F(TaskGroupTest, nothing_starts_after_stop) {
    stop(0ms);
    group.spawn("late", end_at_once(owned));
    EXPECT_EQ(owned.use_count(), 1);
    EXPECT_EQ(group.size(), 0U);
    loop.restart();
    loop.run();
    EXPECT_EQ(*owned, 0);
}

}  // namespace
}  // namespace satchel
