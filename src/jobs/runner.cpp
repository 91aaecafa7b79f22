#include "jobs/runner.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"

#include <boost/asio/as_tuple.hpp>

#include <algorithm>

namespace satchel::jobs {
namespace {

// How soon a clock that was moved without run_all_due() is noticed.
constexpr auto idle_wait_max = std::chrono::seconds(1);
constexpr auto failure_wait = std::chrono::seconds(1);

bool is_transient(Errc code) {
    return code == Errc::rate_limited || code == Errc::timed_out || code == Errc::unavailable;
}

}  // namespace

Runner::Runner(
    Loop& loop, meta::Database& database, const Clock& clock, Worker& worker, RunnerOptions options)
    : loop_(loop),
      database_(database),
      clock_(clock),
      worker_(worker),
      options_(options),
      attempts_(loop),
      pause_(loop.get_executor()) {}

void Runner::wake() {
    if (woken_.exchange(true)) return;
    asio::post(loop_, [this] { pause_.cancel(); });
}

void Runner::stop() {
    stopping_ = true;
    pause_.cancel();
}

Task<> Runner::wait(std::chrono::steady_clock::duration at_most) {
    pause_.expires_after(at_most);
    co_await pause_.async_wait(asio::as_tuple(use_task));
}

Task<> Runner::run() {
    auto release = [kind = options_.kind, now = clock_.now()](meta::Session& session) {
        return meta::release_jobs(session, kind, now);
    };
    ignore(co_await database_.write(std::move(release)), "leases end by themselves");
    while (!stopping_) {
        woken_ = false;
        const auto started = co_await start_due();
        if (!started) {
            log::error("jobs_failed",
                       {{"kind", options_.kind}, {"detail", started.error().detail}});
            co_await wait(failure_wait);
            continue;
        }
        if (woken_ || stopping_) continue;
        // With every place taken, the end of an attempt wakes.
        if (running_ >= options_.parallel_max) {
            co_await wait(idle_wait_max);
        } else if (*started == 0) {
            const auto idle = co_await idle_time();
            if (!woken_ && !stopping_) co_await wait(idle.value_or(failure_wait));
        }
    }
    co_await attempts_.stop(limits::stop_wait_max);
}

Async<std::size_t> Runner::start_due() {
    const std::size_t taken_places = running_ + starting_;
    if (taken_places >= options_.parallel_max) co_return std::size_t{0};
    const std::size_t places = options_.parallel_max - taken_places;
    const Time now = clock_.now();
    auto look = [kind = options_.kind](meta::Session& session) {
        return meta::next_job_due(session, kind);
    };
    CO_TRY(const auto next_due, co_await database_.read(look));
    if (!next_due || *next_due > now) co_return std::size_t{0};

    auto take = [this, now, places](meta::Session& session) -> Result<std::vector<meta::Job>> {
        TRY(auto jobs, meta::lease_jobs(session, options_.kind, now, now + options_.lease, places));
        for (const meta::Job& job : jobs) CHECK(worker_.taken(session, job, now));
        return jobs;
    };
    starting_ += places;
    auto jobs = co_await database_.write(std::move(take));
    starting_ -= places;
    if (!jobs) co_return std::unexpected(std::move(jobs).error());
    for (const meta::Job& job : *jobs) {
        ++running_;
        attempts_.spawn("job", run_one(job));
    }
    co_return jobs->size();
}

Task<> Runner::run_one(meta::Job job) {
    struct Running {
        Runner& runner;
        ~Running() {
            --runner.running_;
            runner.wake();
        }
    };
    const Running running{*this};
    auto attempted = co_await worker_.attempt(job);
    const auto settled = co_await settle(job, std::move(attempted));
    // Without it the lease ends, and the job is tried again.
    if (!settled) {
        log::error("job_not_settled",
                   {{"kind", options_.kind}, {"detail", settled.error().detail}});
    }
}

Async<> Runner::settle(meta::Job job, Result<Settle> attempted) {
    if (attempted) {
        auto end = [job, settle = std::move(*attempted)](meta::Session& session) mutable {
            const Result<> changed = settle(session);
            return changed ? meta::finish_job(session, job.seq) : changed;
        };
        co_return co_await database_.write(std::move(end));
    }
    const Error error = std::move(attempted).error();
    const auto again =
        is_transient(error.code) ? options_.backoff.wait_after(job.attempts) : std::nullopt;
    if (again) {
        auto postpone = [job, due = clock_.now() + *again](meta::Session& session) {
            return meta::postpone_job(session, job.seq, due);
        };
        co_return co_await database_.write(std::move(postpone));
    }
    log::warn("job_given_up",
              {{"kind", options_.kind}, {"attempts", job.attempts}, {"detail", error.detail}});
    auto give_up = [this, job, error](meta::Session& session) {
        const Result<> changed = worker_.given_up(session, job, error);
        return changed ? meta::finish_job(session, job.seq) : changed;
    };
    co_return co_await database_.write(std::move(give_up));
}

Async<std::chrono::steady_clock::duration> Runner::idle_time() {
    auto look = [kind = options_.kind](meta::Session& session) {
        return meta::next_job_due(session, kind);
    };
    CO_TRY(const auto due, co_await database_.read(look));
    if (!due) co_return idle_wait_max;
    const Duration left = std::max(*due - clock_.now(), Duration::zero());
    co_return std::min<std::chrono::steady_clock::duration>(left, idle_wait_max);
}

Async<> Runner::run_all_due() {
    while (!stopping_) {
        CO_TRY(const std::size_t started, co_await start_due());
        if (started == 0 && running_ == 0 && starting_ == 0) break;
        Timer pause(loop_.get_executor(), std::chrono::milliseconds(1));
        co_await pause.async_wait(asio::as_tuple(use_task));
    }
    co_return Result<>{};
}

}  // namespace satchel::jobs
