#include "media/memory_budget.hpp"

#include "base/limits.hpp"

#include <boost/asio/as_tuple.hpp>

namespace satchel::media {

// In the queue; leaves it however the wait ends.
class MemoryBudget::Place {
public:
    Place(MemoryBudget& budget, std::uint64_t bytes, const Loop::executor_type& loop)
        : budget_(budget),
          at_(budget.waiting_.insert(budget.waiting_.end(), Waiter{bytes, Timer(loop)})) {}
    ~Place() {
        const bool unused = at_->granted && !taken_;
        const std::uint64_t bytes = at_->bytes;
        budget_.waiting_.erase(at_);
        if (unused) budget_.give_back(bytes);
        budget_.grant();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    Waiter& waiter() { return *at_; }
    Reservation take() {
        taken_ = true;
        return {budget_, at_->bytes};
    }

private:
    MemoryBudget& budget_;
    std::list<Waiter>::iterator at_;
    bool taken_ = false;
};

MemoryBudget::Time MemoryBudget::patience() {
    return std::chrono::steady_clock::now() + limits::media_wait_max;
}

void MemoryBudget::stop() {
    stopping_ = true;
    for (Waiter& waiter : waiting_) waiter.turn.cancel();
}

Async<MemoryBudget::Reservation> MemoryBudget::reserve(std::uint64_t bytes, Time until) {
    if (stopping_) co_return fail(Errc::unavailable, "the server stops");
    if (bytes > all_) co_return fail(Errc::too_large, "more memory than all jobs have together");
    if (waiting_.size() >= limits::media_jobs_waiting_max) {
        co_return fail(Errc::unavailable, "too many media jobs wait");
    }
    const Loop::executor_type loop = co_await asio::this_coro::executor;
    Place place(*this, bytes, loop);
    grant();
    if (!place.waiter().granted) {
        place.waiter().turn.expires_at(until);
        co_await place.waiter().turn.async_wait(asio::as_tuple(use_task));
    }
    if (!place.waiter().granted) co_return fail(Errc::unavailable, "no memory for a media job");
    co_return place.take();
}

void MemoryBudget::give_back(std::uint64_t bytes) {
    free_ += bytes;
    grant();
}

void MemoryBudget::grant() {
    for (Waiter& waiter : waiting_) {
        if (waiter.granted) continue;
        if (waiter.bytes > free_) return;
        free_ -= waiter.bytes;
        waiter.granted = true;
        waiter.turn.cancel();
    }
}

}  // namespace satchel::media
