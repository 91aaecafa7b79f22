// Runs AttachmentService::sweep() at an interval, and when time was moved.
#pragma once

#include "base/async.hpp"
#include "service/attachment_service.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace satchel::app {

using LoopTimer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;

// Used on one loop, but for lag_seconds(). One pass at a time.
class Sweeper {
public:
    Sweeper(Loop& loop, AttachmentService& attachments);

    // Sweeps every limits::sweep_interval until stop().
    Task<> run();
    // run() returns once the pass in progress, if any, has ended.
    void stop();
    // Sweeps until nothing is due. A pass that runs already is waited for first.
    Async<> sweep_all();

    // Seconds since a sweep last left nothing to do. Usable from any thread.
    double lag_seconds() const;

private:
    Loop& loop_;
    AttachmentService& attachments_;
    LoopTimer interval_;
    bool busy_ = false;
    bool stopping_ = false;
    std::atomic<std::int64_t> done_at_ns_;
};

}  // namespace satchel::app
