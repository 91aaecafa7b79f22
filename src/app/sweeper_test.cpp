#include "app/sweeper.hpp"

#include <boost/asio/co_spawn.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <optional>
#include <utility>

namespace satchel::app {
namespace {

using namespace std::chrono_literals;

struct SweeperTest : testing::Test {
    Loop loop;
    std::optional<Result<>> swept;

    void sweep_all(Sweeper& sweeper) {
        asio::co_spawn(loop, sweeper.sweep_all(), [this](std::exception_ptr thrown, Result<> r) {
            if (thrown) std::rethrow_exception(thrown);
            swept = std::move(r);
        });
        loop.run();
    }
};

TEST_F(SweeperTest, what_falls_due_all_the_time_keeps_no_other_chore_from_its_turn) {
    Sweeper* running = nullptr;
    int turns = 0;
    const auto endless = []() -> Async<std::size_t> { co_return std::size_t{1}; };
    const auto other = [&]() -> Async<std::size_t> {
        if (++turns == 3) running->stop();
        co_return std::size_t{0};
    };
    Sweeper sweeper(loop, {{"endless", endless}, {"other", other}}, 1ms);
    running = &sweeper;
    sweep_all(sweeper);
    EXPECT_EQ(turns, 3);
}

TEST_F(SweeperTest, a_chore_that_is_not_done_in_its_turn_is_taken_up_again) {
    std::size_t left = 5;
    const auto chore = [&left]() -> Async<std::size_t> {
        if (left == 0) co_return std::size_t{0};
        --left;
        co_return std::size_t{1};
    };
    Sweeper sweeper(loop, {{"chore", chore}}, 0ms);
    sweep_all(sweeper);
    EXPECT_TRUE(*swept);
    EXPECT_EQ(left, 0U);
}

TEST_F(SweeperTest, a_chore_that_fails_is_told_and_keeps_no_other_from_being_done) {
    bool is_done = false;
    const auto failing = []() -> Async<std::size_t> { co_return fail(Errc::corrupt, "broken"); };
    const auto other = [&is_done]() -> Async<std::size_t> {
        is_done = true;
        co_return std::size_t{0};
    };
    Sweeper sweeper(loop, {{"failing", failing}, {"other", other}});
    sweep_all(sweeper);
    EXPECT_TRUE(is_done);
    ASSERT_FALSE(*swept);
    EXPECT_EQ(swept->error().code, Errc::corrupt);
}

}  // namespace
}  // namespace satchel::app
