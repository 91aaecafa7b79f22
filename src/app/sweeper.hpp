// Runs what has to be done from time to time, and when time was moved: each thing that is due to
// go has its chore.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace satchel::app {

using LoopTimer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;

struct Chore {
    std::string name;  // For the log.
    // Does one small part of what is due, in transactions that hold nobody up. Returns how much it
    // changed; it is called again until 0.
    std::function<Async<std::size_t>()> pass;
    // How much later than it should the oldest thing that is due is still there; 0: nothing is.
    std::function<Async<Duration>()> lag = {};
};

// Used on one loop, but for lag_seconds(). One pass at a time.
class Sweeper {
public:
    Sweeper(Loop& loop, std::vector<Chore> chores);
    // A chore that is not done after `turn` lets the others go first, so that what falls due all
    // the time keeps none from being done; limits::chore_turn_max if not given.
    Sweeper(Loop& loop, std::vector<Chore> chores, std::chrono::steady_clock::duration turn);

    // Sweeps every limits::sweep_interval until stop().
    Task<> run();
    // run() returns once the pass in progress, if any, has ended.
    void stop();
    // Sweeps until nothing is due. A pass that runs already is waited for first. A chore that fails
    // is logged and does not keep the others from being done; its error is returned.
    Async<> sweep_all();

    // Seconds since a sweep last left nothing to do. Usable from any thread.
    double lag_seconds() const;
    // What Chore::lag last said of chore `index`, looked at in every sweep and at least once a
    // second while the chore is at work. Usable from any thread.
    double lag_seconds(std::size_t index) const;
    const std::vector<Chore>& chores() const { return chores_; }

private:
    // Whether nothing was left to do when it ended.
    Async<bool> sweep(std::size_t index);
    Task<> look_at_lag(std::size_t index);
    Task<> pause(std::chrono::steady_clock::duration length);

    Loop& loop_;
    std::vector<Chore> chores_;
    const std::chrono::steady_clock::duration turn_;
    LoopTimer interval_;
    bool busy_ = false;
    bool stopping_ = false;
    std::atomic<std::int64_t> done_at_ns_;
    std::unique_ptr<std::atomic<std::int64_t>[]> lags_ns_;  // By chore.
};

}  // namespace satchel::app
