// Runs the jobs of one kind: takes what is due, tries it, and settles it in one transaction with
// what the attempt changed. At least once: an attempt whose settling was lost is made again.
//
// Decides alone on retries: an attempt that fails with Errc::rate_limited, timed_out or
// unavailable is made again as Backoff says; one that fails otherwise, or too often, is given up.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/task_group.hpp"
#include "jobs/backoff.hpp"
#include "meta/database.hpp"
#include "meta/jobs.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <string_view>

namespace satchel::jobs {

// What an attempt changed, written in the transaction that ends the job.
using Settle = std::move_only_function<Result<>(meta::Session&)>;

class Worker {
public:
    virtual ~Worker() = default;
    // In the transaction that takes the job.
    virtual Result<> taken(meta::Session& session, const meta::Job& job, Time now) = 0;
    virtual Async<Settle> attempt(meta::Job job) = 0;
    // In the transaction that ends the job.
    virtual Result<> given_up(meta::Session& session, const meta::Job& job, const Error& why) = 0;
};

struct RunnerOptions {
    std::string_view kind;  // Static storage.
    Backoff backoff;
    Duration lease;  // Longer than any attempt.
    std::size_t parallel_max = 64;
};

// Used on one loop, but for wake().
class Runner {
public:
    Runner(Loop& loop,
           meta::Database& database,
           const Clock& clock,
           Worker& worker,
           RunnerOptions options);
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    // Until stop(). Takes up first what an earlier process had taken.
    Task<> run();
    // run() returns once the attempts in progress have ended.
    void stop();

    // Work was added. From any thread; costs next to nothing while the runner is awake.
    void wake();
    // When time was moved: returns once nothing is due and nothing runs.
    Async<> run_all_due();

private:
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;
    Async<std::size_t> start_due();
    Task<> run_one(meta::Job job);
    Async<> settle(meta::Job job, Result<Settle> attempted);
    Async<std::chrono::steady_clock::duration> idle_time();
    Task<> wait(std::chrono::steady_clock::duration at_most);

    Loop& loop_;
    meta::Database& database_;
    const Clock& clock_;
    Worker& worker_;
    RunnerOptions options_;
    TaskGroup attempts_;
    Timer pause_;
    std::size_t running_ = 0;
    std::size_t starting_ = 0;
    bool stopping_ = false;
    std::atomic<bool> woken_ = false;
};

}  // namespace satchel::jobs
