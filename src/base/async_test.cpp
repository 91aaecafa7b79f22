#include "base/async.hpp"

#include "tests/support/loop_thread.hpp"
#include "tests/support/run.hpp"

#include <gtest/gtest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <string>
#include <thread>

namespace satchel {
namespace {

struct Threads {
    std::thread::id before;
    std::thread::id working;
    std::thread::id after;
};

Task<Threads> note_threads(BlockingPool& pool) {
    Threads threads;
    threads.before = std::this_thread::get_id();
    threads.working = co_await run_blocking(pool, [] { return std::this_thread::get_id(); });
    threads.after = std::this_thread::get_id();
    co_return threads;
}

Task<std::string> move_through(BlockingPool& pool) {
    auto text = std::make_unique<std::string>("carried");
    auto work = [text = std::move(text)]() mutable { return std::move(text); };
    const auto back = co_await run_blocking(pool, std::move(work));
    co_return *back;
}

Async<int> fail_in_pool(BlockingPool& pool) {
    CO_CHECK(co_await run_blocking(
        pool, []() -> Result<> { return fail(Errc::unavailable, "disk is gone"); }));
    co_return 1;
}

Task<int> add_many(BlockingPool& pool, int count) {
    int sum = 0;
    for (int i = 0; i < count; ++i) sum += co_await run_blocking(pool, [i] { return i; });
    co_return sum;
}

Task<std::string> take_turns() {
    auto trace = std::make_shared<std::string>();
    const Loop::executor_type home = co_await asio::this_coro::executor;
    asio::post(home, [trace] { *trace += "others "; });
    *trace += "before ";
    co_await yield();
    *trace += "after";
    co_return *trace;
}

Task<Threads> note_threads(Loop& other) {
    auto work = []() -> Task<std::thread::id> { co_return std::this_thread::get_id(); };
    Threads threads;
    threads.before = std::this_thread::get_id();
    threads.working = co_await run_on(other, work());
    threads.after = std::this_thread::get_id();
    co_return threads;
}

TEST(RunBlockingTest, work_runs_elsewhere_and_its_caller_goes_on_at_home) {
    BlockingPool pool(1);
    const Threads threads = test::run(note_threads(pool));
    EXPECT_EQ(threads.before, std::this_thread::get_id());
    EXPECT_EQ(threads.after, std::this_thread::get_id());
    EXPECT_NE(threads.working, std::this_thread::get_id());
}

TEST(RunBlockingTest, what_cannot_be_copied_goes_there_and_back) {
    BlockingPool pool(1);
    EXPECT_EQ(test::run(move_through(pool)), "carried");
}

TEST(RunBlockingTest, failures_travel_as_values) {
    BlockingPool pool(1);
    const auto result = test::run(fail_in_pool(pool));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Errc::unavailable);
    EXPECT_EQ(result.error().detail, "disk is gone");
}

TEST(RunBlockingTest, a_loop_without_other_work_waits_for_the_pool) {
    BlockingPool pool(4);
    EXPECT_EQ(test::run(add_many(pool, 500)), 500 * 499 / 2);
}

TEST(YieldTest, what_is_ready_runs_first) {
    EXPECT_EQ(test::run(take_turns()), "before others after");
}

TEST(RunOnTest, work_runs_on_the_other_loop_and_its_caller_goes_on_at_home) {
    test::LoopThread other;
    const Threads threads = test::run(note_threads(other.loop()));
    EXPECT_EQ(threads.before, std::this_thread::get_id());
    EXPECT_EQ(threads.after, std::this_thread::get_id());
    EXPECT_NE(threads.working, std::this_thread::get_id());
}

class RunOnCancellationTest : public testing::Test {
protected:
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;

    // Until it is cancelled; notes where.
    Task<> wait_for_good() {
        Timer never(co_await asio::this_coro::executor, Timer::time_point::max());
        begun.set_value();
        co_await never.async_wait(asio::as_tuple(use_task));
        ended_on = std::this_thread::get_id();
    }
    void begin(Task<> work) {
        has_ended = false;
        auto done = [this](const std::exception_ptr& /*cancelled*/) { has_ended = true; };
        asio::co_spawn(home.loop(), run_on(other.loop(), std::move(work)),
                       asio::bind_cancellation_slot(cancel.slot(), std::move(done)));
        home.loop().restart();
        home.loop().poll();
    }

    void cancel_and_end() {
        if (!has_ended) cancel.emit(asio::cancellation_type::all);
        home.loop().restart();
        home.loop().run();
    }

    test::LoopThread other;
    test::KeptLoop home;
    asio::cancellation_signal cancel;
    std::promise<void> begun;
    std::thread::id ended_on;
    bool has_ended = false;
};

TEST_F(RunOnCancellationTest, ends_the_work_on_its_own_loop) {
    begin(wait_for_good());
    begun.get_future().wait();
    cancel_and_end();
    EXPECT_TRUE(has_ended);
    EXPECT_NE(ended_on, std::this_thread::get_id());
    EXPECT_NE(ended_on, std::thread::id());
}

TEST_F(RunOnCancellationTest, may_come_when_the_work_has_ended_and_its_caller_does_not_know) {
    begin([]() -> Task<> { co_return; }());
    // The work ends with its second turn, and what is posted first has its turn first.
    for (int turn = 0; turn < 3; ++turn) {
        std::promise<void> passed;
        asio::post(other.loop(), [&passed] { passed.set_value(); });
        passed.get_future().wait();
    }
    ASSERT_FALSE(has_ended);
    cancel_and_end();
    EXPECT_TRUE(has_ended);
}

TEST_F(RunOnCancellationTest, may_come_at_any_time) {
    for (int i = 0; i < 300; ++i) {
        begin([]() -> Task<> { co_return; }());
        cancel_and_end();
        EXPECT_TRUE(has_ended);
    }
}

}  // namespace
}  // namespace satchel
