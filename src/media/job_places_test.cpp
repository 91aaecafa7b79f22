#include "media/job_places.hpp"

#include "tests/support/run.hpp"

#include <gtest/gtest.h>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace satchel::media {
namespace {

using namespace std::chrono_literals;
using boost::asio::experimental::awaitable_operators::operator||;
using boost::asio::experimental::awaitable_operators::operator&&;

constexpr auto long_time = 60s;

Task<Errc> refusal(JobPlaces& places, std::chrono::steady_clock::duration patience) {
    const auto place = co_await places.take(patience);
    co_return place ? Errc::internal : place.error().code;
}

// Takes a place, lets others run, gives it back.
Task<bool> use(JobPlaces& places, std::atomic<int>& inside, int at_most) {
    const auto place = co_await places.take(long_time);
    if (!place) co_return false;
    bool is_within = ++inside <= at_most;
    for (int i = 0; i < 20; ++i) co_await yield();
    is_within = is_within && inside <= at_most;
    --inside;
    co_return is_within;
}

TEST(JobPlacesTest, no_more_run_at_once_than_there_are_places_on_any_loop) {
    JobPlaces places(2, 1000);
    std::atomic<int> inside = 0;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 50; ++round) {
                if (!test::run(use(places, inside, 2))) ++wrong;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

Task<bool> while_full(JobPlaces& places) {
    const auto place = co_await places.take(long_time);
    const Errc after_patience = co_await refusal(places, 1ms);
    co_return place&& after_patience == Errc::unavailable;
}

TEST(JobPlacesTest, patience_ends_and_the_place_is_there_afterwards) {
    JobPlaces places(1, 10);
    EXPECT_TRUE(test::run(while_full(places)));
    EXPECT_TRUE(test::run(while_full(places)));
}

Task<bool> with_queue_of_none(JobPlaces& places) {
    const auto place = co_await places.take(long_time);
    co_return place&& co_await refusal(places, long_time) == Errc::unavailable;
}

TEST(JobPlacesTest, too_many_waiting_are_refused_at_once) {
    JobPlaces places(1, 0);
    EXPECT_TRUE(test::run(with_queue_of_none(places)));
}

Task<bool> cancel_one_that_waits(JobPlaces& places) {
    {
        const auto place = co_await places.take(long_time);
        static_cast<void>(co_await (refusal(places, long_time) || yield()));
    }
    // The cancelled one left nothing behind that could get the place.
    const auto place = co_await places.take(long_time);
    co_return place.has_value();
}

TEST(JobPlacesTest, a_cancelled_wait_takes_no_place) {
    JobPlaces places(1, 10);
    EXPECT_TRUE(test::run(cancel_one_that_waits(places)));
}

}  // namespace
}  // namespace satchel::media
