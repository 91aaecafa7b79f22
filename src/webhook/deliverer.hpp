// Delivers what waits in the outbox, at least once, with the same event id and body each time.
//
// Fair: every subscription has its own small page of waiting rows and its own share of attempts
// at once; a share grows while answers come and falls to one attempt when they stop coming, and
// one attempt is always granted. Memory does not depend on how much waits: rows are read in
// pages, bodies one by one. What attempts brought is written for many at once. A crash between
// an answer and that write makes the receiver see the event again.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/task_group.hpp"
#include "fetch/fetch.hpp"
#include "meta/webhook_outbox.hpp"
#include "webhook/retry_schedule.hpp"
#include "webhook/secret_box.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <unordered_set>
#include <vector>

namespace satchel::webhook {

// Used on one loop, but for totals().
class Deliverer {
public:
    struct Parts {
        Loop& loop;
        meta::Database& database;
        fetch::Fetcher& fetcher;
        const SecretBox& secrets;
        const Clock& clock;
    };
    explicit Deliverer(Parts parts);

    // Delivers until stop(). Looks for new rows within limits::webhook_look_interval of a commit.
    Task<> run();
    // run() returns soon; attempts that are under way are cut off and made again at next start.
    void stop();
    // Returns when nothing that is due now is left, or after limits::webhook_catch_up_max.
    Task<> catch_up();

    struct Totals {
        std::uint64_t attempts = 0;
        std::uint64_t delivered = 0;
        std::uint64_t given_up = 0;
        std::uint64_t running = 0;
    };
    Totals totals() const;

private:
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;
    // What is known of one subscription for which something waits.
    struct Target {
        std::deque<meta::DueDelivery> page;      // Due, not started.
        std::unordered_set<std::int64_t> taken;  // Started, outcome not yet written.
        std::unordered_set<std::int64_t> lanes;  // With a first attempt under way.
        std::size_t running = 0;
        std::size_t allowed = limits::webhook_parallel_start;  // At most so many at once.
        bool has_more = false;                                 // Due rows beyond page and taken.
        std::chrono::steady_clock::time_point held_until{};
    };
    struct Outcome {
        std::int64_t subscription = 0;
        std::int64_t seq = 0;
        Verdict verdict = Verdict::retry;
        meta::FailedAttempt attempt;  // Unless delivered.
    };
    class Running;

    bool must_look() const;
    Async<> look();
    Async<> tidy(const meta::WaitingTarget& target);
    Async<> read_page(std::int64_t subscription);
    Async<> forget_old(Time now);

    void start_attempts();
    bool start_one(std::int64_t subscription, Target& target);
    bool may_start(const Target& target) const;
    Task<> attempt(std::int64_t subscription, meta::DueDelivery due);
    Async<fetch::Posted> post(const meta::Delivery& delivery);
    Outcome outcome_of(std::int64_t subscription,
                       const meta::Delivery& delivery,
                       const fetch::Posted& posted) const;
    static void adapt(Target& target, const fetch::Posted& posted);

    void start_writing();
    Task<> write_outcomes();
    Async<> write_batch(std::vector<Outcome> batch);
    void wake();
    Task<> pause(std::chrono::steady_clock::duration at_most);

    Parts parts_;
    TaskGroup tasks_;
    Timer waker_;
    std::map<std::int64_t, Target> targets_;  // By subscription.
    std::int64_t last_started_ = 0;           // Whose turn it was.
    std::vector<Outcome> outcomes_;           // Not yet being written.
    bool writing_ = false;
    bool stopping_ = false;
    bool woken_ = false;
    bool must_look_ = true;
    bool anything_due_ = true;  // At the last look.
    std::uint64_t looks_ = 0;
    std::chrono::steady_clock::time_point look_not_before_{};
    std::uint64_t seen_writes_ = 0;
    Time next_due_at_{};
    Time forget_old_at_{};
    std::atomic<std::uint64_t> running_{0};
    std::atomic<std::uint64_t> attempts_{0};
    std::atomic<std::uint64_t> delivered_{0};
    std::atomic<std::uint64_t> given_up_{0};
};

}  // namespace satchel::webhook
