#include "app/sweeper.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"

#include <boost/asio/as_tuple.hpp>

namespace satchel::app {
namespace {

constexpr auto busy_check_interval = std::chrono::milliseconds(1);
constexpr auto lag_interval = std::chrono::seconds(1);

std::int64_t steady_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// Ends `busy` however the pass ends.
class Busy {
public:
    explicit Busy(bool& busy) : busy_(busy) { busy_ = true; }
    ~Busy() { busy_ = false; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

private:
    bool& busy_;
};

}  // namespace

Sweeper::Sweeper(Loop& loop, std::vector<Chore> chores)
    : Sweeper(loop, std::move(chores), limits::chore_turn_max) {}

Sweeper::Sweeper(Loop& loop, std::vector<Chore> chores, std::chrono::steady_clock::duration turn)
    : loop_(loop),
      chores_(std::move(chores)),
      turn_(turn),
      interval_(loop.get_executor()),
      done_at_ns_(steady_ns()),
      lags_ns_(std::make_unique<std::atomic<std::int64_t>[]>(chores_.size())) {}

Task<> Sweeper::run() {
    while (true) {
        interval_.expires_after(limits::sweep_interval);
        co_await interval_.async_wait(asio::as_tuple(use_task));
        if (stopping_) co_return;
        ignore(co_await sweep_all(), "logged, and tried again at the next interval");
    }
}

void Sweeper::stop() {
    stopping_ = true;
    interval_.cancel();
}

Async<> Sweeper::sweep_all() {
    while (busy_) co_await pause(busy_check_interval);
    const Busy busy(busy_);
    Result<> outcome;
    for (std::size_t index = 0; index < chores_.size(); ++index) co_await look_at_lag(index);
    for (bool is_done = false; !is_done;) {
        is_done = true;
        for (std::size_t index = 0; index < chores_.size(); ++index) {
            auto swept = co_await sweep(index);
            if (stopping_) co_return outcome;
            co_await look_at_lag(index);
            if (swept) {
                is_done = is_done && *swept;
                continue;
            }
            log::error("sweep_failed",
                       {{"chore", chores_[index].name}, {"detail", swept.error().detail}});
            outcome = std::unexpected(std::move(swept).error());
        }
    }
    if (outcome) done_at_ns_ = steady_ns();
    co_return outcome;
}

Async<bool> Sweeper::sweep(std::size_t index) {
    const auto began = std::chrono::steady_clock::now();
    auto looked_at = began;
    while (!stopping_) {
        CO_TRY(const std::size_t changed, co_await chores_[index].pass());
        if (changed == 0) co_return true;
        // Whoever waits for the database or the disk goes first.
        co_await pause(limits::retention_pause);
        const auto now = std::chrono::steady_clock::now();
        if (now - began >= turn_) break;
        if (now - looked_at < lag_interval) continue;
        looked_at = now;
        co_await look_at_lag(index);
    }
    co_return false;
}

Task<> Sweeper::look_at_lag(std::size_t index) {
    if (!chores_[index].lag) co_return;
    const auto lag = co_await chores_[index].lag();
    if (!lag) co_return;  // The pass that failed for the same reason is logged.
    lags_ns_[index] = std::chrono::duration_cast<std::chrono::nanoseconds>(*lag).count();
}

Task<> Sweeper::pause(std::chrono::steady_clock::duration length) {
    LoopTimer timer(loop_.get_executor(), length);
    co_await timer.async_wait(asio::as_tuple(use_task));
}

double Sweeper::lag_seconds(std::size_t index) const {
    return static_cast<double>(lags_ns_[index].load()) / 1e9;
}

double Sweeper::lag_seconds() const {
    return static_cast<double>(steady_ns() - done_at_ns_) / 1e9;
}

}  // namespace satchel::app
