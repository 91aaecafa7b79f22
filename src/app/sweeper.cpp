#include "app/sweeper.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"

#include <boost/asio/as_tuple.hpp>

namespace satchel::app {
namespace {

constexpr auto busy_check_interval = std::chrono::milliseconds(1);

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
    : loop_(loop),
      chores_(std::move(chores)),
      interval_(loop.get_executor()),
      done_at_ns_(steady_ns()) {}

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
    while (busy_) {
        LoopTimer pause(loop_.get_executor(), busy_check_interval);
        co_await pause.async_wait(asio::as_tuple(use_task));
    }
    const Busy busy(busy_);
    Result<> outcome;
    for (const Chore& chore : chores_) {
        auto swept = co_await sweep(chore);
        if (stopping_) co_return outcome;
        if (swept) continue;
        log::error("sweep_failed", {{"chore", chore.name}, {"detail", swept.error().detail}});
        outcome = std::move(swept);
    }
    if (outcome) done_at_ns_ = steady_ns();
    co_return outcome;
}

Async<> Sweeper::sweep(const Chore& chore) {
    while (!stopping_) {
        CO_TRY(const std::size_t changed, co_await chore.pass());
        if (changed == 0) break;
    }
    co_return Result<>{};
}

double Sweeper::lag_seconds() const {
    return static_cast<double>(steady_ns() - done_at_ns_) / 1e9;
}

}  // namespace satchel::app
