#include "base/async.hpp"

#include "tests/support/run.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace satchel
