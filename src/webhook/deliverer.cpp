#include "webhook/deliverer.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "crypto/webhook_signature.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>

#include <algorithm>
#include <utility>

namespace satchel::webhook {
namespace {

constexpr std::size_t error_bytes_max = 200;
constexpr std::size_t write_batch_max = 512;
constexpr auto failure_pause = std::chrono::seconds(1);
constexpr auto busy_pause = std::chrono::milliseconds(50);
constexpr auto idle_check_interval = std::chrono::milliseconds(2);
constexpr auto forget_interval = std::chrono::minutes(1);
// A look at all targets may take one part in so many of the loop's time.
constexpr int look_share = 4;

// What the fetcher would queue would use up its time there.
static_assert(limits::webhook_parallel_hard_max <= limits::posts_parallel_max);
static_assert(limits::webhook_parallel_max <= limits::posts_parallel_per_partner_max);

double roll() {
    std::array<std::byte, 4> random{};
    fill_random(random);
    return static_cast<double>(read_u32(random.data())) / 4294967296.0;
}

// Receivers compare it with their own clocks: the real time, whatever the service's clock says.
std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string error_text(const fetch::Posted& posted) {
    std::string text = posted.failure == fetch::Failure::none
                           ? "answered " + std::to_string(posted.status)
                           : posted.detail;
    if (text.empty()) text = posted.failure == fetch::Failure::timed_out ? "timed out" : "failed";
    text.resize(std::min(text.size(), error_bytes_max));
    return text;
}

}  // namespace

// An attempt's place in its target, given back when the attempt ends, however it ends.
class Deliverer::Running {
public:
    Running(Deliverer& deliverer, std::int64_t subscription, const meta::DueDelivery& due)
        : deliverer_(deliverer), subscription_(subscription), due_(due) {}
    ~Running() {
        Target& target = this->target();
        --target.running;
        --deliverer_.running_;
        if (due_.attempts == 0) target.lanes.erase(due_.lane);
        if (!has_outcome_) {
            target.taken.erase(due_.seq);
            target.has_more = true;
            deliverer_.must_look_ = true;
        }
        deliverer_.wake();
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    Target& target() { return deliverer_.targets_.at(subscription_); }
    // The row stays taken until the outcome is written.
    void set_has_outcome() { has_outcome_ = true; }

private:
    Deliverer& deliverer_;
    std::int64_t subscription_;
    meta::DueDelivery due_;
    bool has_outcome_ = false;
};

Deliverer::Deliverer(Parts parts)
    : parts_(parts), tasks_(parts.loop), waker_(parts.loop.get_executor()) {}

Task<> Deliverer::run() {
    // Ended by stop() alone: the attempts must not outlive it.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    while (!stopping_) {
        if (must_look()) {
            const auto looked = co_await look();
            if (!looked) {
                log::error("webhook_outbox_unreadable", {{"detail", looked.error().detail}});
                look_not_before_ = std::chrono::steady_clock::now() + failure_pause;
            }
        }
        start_attempts();
        start_writing();
        co_await pause(limits::webhook_look_interval);
    }
    co_await tasks_.stop(limits::webhook_stop_wait_max);
    if (!outcomes_.empty()) co_await write_outcomes();
}

void Deliverer::stop() {
    stopping_ = true;
    wake();
}

Task<> Deliverer::catch_up() {
    const auto deadline = std::chrono::steady_clock::now() + limits::webhook_catch_up_max;
    // The look that is under way may have asked the clock before it was moved.
    const std::uint64_t enough = looks_ + 2;
    while (!stopping_ && std::chrono::steady_clock::now() < deadline) {
        must_look_ = true;
        wake();
        Timer interval(parts_.loop.get_executor(), idle_check_interval);
        co_await interval.async_wait(asio::as_tuple(use_task));
        const bool is_idle = running_ == 0 && outcomes_.empty() && !writing_ && !anything_due_;
        if (looks_ >= enough && is_idle) co_return;
    }
}

Deliverer::Totals Deliverer::totals() const {
    return {
        .attempts = attempts_, .delivered = delivered_, .given_up = given_up_, .running = running_};
}

bool Deliverer::must_look() const {
    if (std::chrono::steady_clock::now() < look_not_before_) return false;
    return must_look_ || parts_.database.stats().writes != seen_writes_ ||
           parts_.clock.now() >= next_due_at_;
}

Async<> Deliverer::look() {
    const auto began = std::chrono::steady_clock::now();
    must_look_ = false;
    seen_writes_ = parts_.database.stats().writes;
    const Time now = parts_.clock.now();
    CO_CHECK(co_await forget_old(now));
    auto read = [now](meta::Session& session) { return meta::waiting_targets(session, now); };
    CO_TRY(const auto waiting, co_await parts_.database.read(std::move(read)));
    next_due_at_ = Time::max();
    bool anything_due = false;
    for (auto& [subscription, target] : targets_) target.has_more = false;
    for (const meta::WaitingTarget& each : waiting) {
        if (each.state != meta::TargetState::active) {
            CO_CHECK(co_await tidy(each));
            must_look_ = true;
            continue;
        }
        if (each.next_due_at) next_due_at_ = std::min(next_due_at_, *each.next_due_at);
        if (!each.has_due) continue;
        anything_due = true;
        Target& target = targets_[each.subscription];
        target.has_more = true;
        if (target.page.empty()) CO_CHECK(co_await read_page(each.subscription));
    }
    std::erase_if(targets_, [](const auto& entry) {
        const Target& target = entry.second;
        return target.page.empty() && target.taken.empty() && target.running == 0 &&
               !target.has_more;
    });
    anything_due_ = anything_due;
    ++looks_;
    const auto ended = std::chrono::steady_clock::now();
    look_not_before_ = ended + look_share * (ended - began);
    co_return Result<>{};
}

// Clears away a batch of what waits for a subscription that does not want it any more.
Async<> Deliverer::tidy(const meta::WaitingTarget& target) {
    const std::int64_t subscription = target.subscription;
    const bool is_removed = target.state == meta::TargetState::removed;
    const Time now = parts_.clock.now();
    auto write = [subscription, is_removed, now](meta::Session& session) {
        return is_removed
                   ? meta::drop_deliveries(session, subscription, limits::webhook_tidy_batch_max)
                   : meta::give_up_deliveries(session, subscription,
                                              "the subscription is not active", now,
                                              limits::webhook_tidy_batch_max);
    };
    if (const auto known = targets_.find(subscription); known != targets_.end()) {
        known->second.page.clear();
    }
    CO_CHECK(co_await parts_.database.write(std::move(write)));
    co_return Result<>{};
}

Async<> Deliverer::read_page(std::int64_t subscription) {
    const Time now = parts_.clock.now();
    // Rows whose outcome is not written yet still look due.
    const std::size_t max = limits::webhook_page_max + targets_[subscription].taken.size();
    auto read = [subscription, now, max](meta::Session& session) {
        return meta::due_deliveries(session, subscription, now, max);
    };
    CO_TRY(const auto rows, co_await parts_.database.read(std::move(read)));
    Target& target = targets_[subscription];
    target.has_more = rows.size() == max;
    target.page.clear();
    for (const meta::DueDelivery& row : rows) {
        if (!target.taken.contains(row.seq)) target.page.push_back(row);
    }
    co_return Result<>{};
}

Async<> Deliverer::forget_old(Time now) {
    if (now < forget_old_at_) co_return Result<>{};
    const Time before = now - limits::webhook_failed_life;
    auto write = [before](meta::Session& session) {
        return meta::drop_failed_before(session, before, limits::webhook_tidy_batch_max);
    };
    CO_TRY(const std::size_t dropped, co_await parts_.database.write(std::move(write)));
    if (dropped < limits::webhook_tidy_batch_max) forget_old_at_ = now + forget_interval;
    co_return Result<>{};
}

// In turns, one attempt for each subscription in a round.
void Deliverer::start_attempts() {
    bool has_started = true;
    while (has_started && outcomes_.size() < limits::webhook_outcomes_max) {
        has_started = false;
        auto next = targets_.upper_bound(last_started_);
        for (std::size_t left = targets_.size(); left > 0; --left, ++next) {
            if (next == targets_.end()) next = targets_.begin();
            auto& [subscription, target] = *next;
            if (!may_start(target) || !start_one(subscription, target)) continue;
            last_started_ = subscription;
            has_started = true;
        }
    }
}

bool Deliverer::may_start(const Target& target) const {
    if (target.page.empty() || target.running >= target.allowed) return false;
    const std::uint64_t max = target.running == 0 ? limits::webhook_parallel_hard_max
                                                  : limits::webhook_parallel_total_max;
    return running_ < max && std::chrono::steady_clock::now() >= target.held_until;
}

bool Deliverer::start_one(std::int64_t subscription, Target& target) {
    const auto is_free = [&target](const meta::DueDelivery& due) {
        return due.attempts > 0 || due.lane == 0 || !target.lanes.contains(due.lane);
    };
    const auto found = std::ranges::find_if(target.page, is_free);
    if (found == target.page.end()) return false;
    const meta::DueDelivery due = *found;
    target.page.erase(found);
    target.taken.insert(due.seq);
    if (due.attempts == 0) target.lanes.insert(due.lane);
    ++target.running;
    ++running_;
    tasks_.spawn("webhook_attempt", attempt(subscription, due));
    if (target.page.empty() && target.has_more) must_look_ = true;
    return true;
}

Task<> Deliverer::attempt(std::int64_t subscription, meta::DueDelivery due) {
    Running running(*this, subscription, due);
    auto read = [seq = due.seq, now = parts_.clock.now()](meta::Session& session) {
        return meta::find_delivery(session, seq, now);
    };
    const auto found = co_await parts_.database.read(std::move(read));
    if (!found || !*found) co_return;
    const meta::Delivery& delivery = **found;
    const auto answer = co_await post(delivery);
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;  // Cut off by stop().
    fetch::Posted posted;
    if (answer) {
        posted = *answer;
    } else {
        posted.failure = answer.error().code == Errc::corrupt ? fetch::Failure::bad_url
                                                              : fetch::Failure::unreachable;
        posted.detail = answer.error().detail;
    }
    adapt(running.target(), posted);
    Outcome outcome = outcome_of(subscription, delivery, posted);
    if (outcome.verdict == Verdict::not_tried) co_return;
    ++attempts_;
    if (outcome.verdict == Verdict::delivered) ++delivered_;
    if (outcome.verdict == Verdict::give_up) {
        ++given_up_;
        log::info("webhook_given_up", {{"event_id", delivery.event.str()},
                                       {"subscription_id", delivery.subscription.str()},
                                       {"attempts", delivery.attempts + 1},
                                       {"status", posted.status}});
    }
    running.set_has_outcome();
    outcomes_.push_back(std::move(outcome));
}

Async<fetch::Posted> Deliverer::post(const meta::Delivery& delivery) {
    CO_TRY(const std::string secret,
           parts_.secrets.open(delivery.subscription, delivery.sealed_secret));
    const std::string id = delivery.event.str();
    const crypto::WebhookMessage message{
        .id = id, .unix_seconds = unix_seconds(), .body = delivery.body};
    CO_TRY(std::string signature, crypto::standard_webhook_signature(secret, message));
    const std::string seconds = std::to_string(message.unix_seconds);
    fetch::PostRequest request;
    request.url = delivery.target_url;
    // Each subscription has its own share of what may run at once.
    request.partner = "webhook:" + delivery.subscription.str();
    request.total_max = limits::webhook_attempt_max;
    request.headers = {{"Content-Type", "application/json"},
                       {"webhook-id", id},
                       {"webhook-timestamp", seconds},
                       {"webhook-signature", std::move(signature)},
                       {"X-Webhook-Event", delivery.event_type},
                       {"X-Webhook-Subscription-ID", delivery.subscription.str()},
                       {"X-Webhook-Timestamp", seconds},
                       {"X-Webhook-Signature", crypto::legacy_webhook_signature(secret, message)}};
    request.body = delivery.body;
    co_return co_await parts_.fetcher.post(std::move(request));
}

Deliverer::Outcome Deliverer::outcome_of(std::int64_t subscription,
                                         const meta::Delivery& delivery,
                                         const fetch::Posted& posted) const {
    Outcome outcome{.subscription = subscription, .seq = delivery.seq, .verdict = judge(posted)};
    if (outcome.verdict == Verdict::delivered) return outcome;
    outcome.attempt.seq = delivery.seq;
    outcome.attempt.status = posted.failure == fetch::Failure::none ? posted.status : 0;
    outcome.attempt.error = error_text(posted);
    outcome.attempt.at = parts_.clock.now();
    if (outcome.verdict == Verdict::retry) {
        if (const auto wait = wait_after(delivery.attempts + 1, roll())) {
            outcome.attempt.retry_at = outcome.attempt.at + *wait;
        } else {
            outcome.verdict = Verdict::give_up;
        }
    }
    return outcome;
}

// A receiver that answers, whatever it says, gets more at once; one that does not, less.
void Deliverer::adapt(Target& target, const fetch::Posted& posted) {
    using enum fetch::Failure;
    if (posted.failure == timed_out || posted.failure == unreachable) {
        target.allowed = std::max<std::size_t>(1, target.allowed / 2);
    } else if (posted.failure == busy) {
        target.allowed = std::max<std::size_t>(1, target.running - 1);
        target.held_until = std::chrono::steady_clock::now() + busy_pause;
    } else {
        target.allowed = std::min(limits::webhook_parallel_max, target.allowed + 1);
    }
}

void Deliverer::start_writing() {
    if (writing_ || outcomes_.empty() || stopping_) return;
    writing_ = true;
    tasks_.spawn("webhook_outcomes", write_outcomes());
}

Task<> Deliverer::write_outcomes() {
    while (!outcomes_.empty()) {
        const std::size_t count = std::min(outcomes_.size(), write_batch_max);
        const auto end = outcomes_.begin() + static_cast<std::ptrdiff_t>(count);
        std::vector<Outcome> batch(std::make_move_iterator(outcomes_.begin()),
                                   std::make_move_iterator(end));
        outcomes_.erase(outcomes_.begin(), end);
        const auto written = co_await write_batch(batch);
        if (!written) {
            log::error("webhook_outcomes_unwritten", {{"detail", written.error().detail}});
            outcomes_.insert(outcomes_.begin(), std::make_move_iterator(batch.begin()),
                             std::make_move_iterator(batch.end()));
            if (stopping_) break;
            Timer interval(parts_.loop.get_executor(), failure_pause);
            co_await interval.async_wait(asio::as_tuple(use_task));
            continue;
        }
        for (const Outcome& outcome : batch) {
            targets_.at(outcome.subscription).taken.erase(outcome.seq);
        }
    }
    writing_ = false;
    wake();
}

Async<> Deliverer::write_batch(std::vector<Outcome> batch) {
    auto write = [batch = std::move(batch)](meta::Session& session) -> Result<> {
        for (const Outcome& outcome : batch) {
            if (outcome.verdict == Verdict::delivered) {
                CHECK(meta::remove_delivery(session, outcome.seq));
            } else {
                CHECK(meta::record_failed_attempt(session, outcome.attempt));
            }
        }
        return {};
    };
    co_return co_await parts_.database.write(std::move(write));
}

void Deliverer::wake() {
    woken_ = true;
    waker_.cancel();
}

Task<> Deliverer::pause(std::chrono::steady_clock::duration at_most) {
    if (woken_) {
        co_await yield();
    } else {
        waker_.expires_after(at_most);
        co_await waker_.async_wait(asio::as_tuple(use_task));
    }
    woken_ = false;
}

}  // namespace satchel::webhook
