#include "media/job_places.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>
#include <mutex>

namespace satchel::media {
namespace {

using LoopTimer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;

struct Waiter {
    explicit Waiter(Loop::executor_type home) : timer(home) {}
    LoopTimer timer;         // Of its loop alone.
    bool has_place = false;  // Under the mutex.
};

}  // namespace

struct JobPlaces::State {
    std::mutex mutex;
    std::size_t free_places;
    std::size_t waiting_max;
    std::list<std::shared_ptr<Waiter>> waiting;

    // The longest waiting gets the place; without one it is free.
    void give_back() {
        const std::lock_guard lock(mutex);
        if (waiting.empty()) {
            ++free_places;
            return;
        }
        const auto next = waiting.front();
        waiting.pop_front();
        next->has_place = true;
        asio::post(next->timer.get_executor(), [next] { next->timer.cancel(); });
    }
};

namespace {

// Stops waiting, however the wait ends; a place that came and was not claimed goes on.
template <class State>
class Wait {
public:
    Wait(std::shared_ptr<State> state, std::shared_ptr<Waiter> waiter)
        : state_(std::move(state)), waiter_(std::move(waiter)) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() {
        if (stop()) state_->give_back();
    }

    bool claim() {
        const bool has_place = stop();
        waiter_->has_place = false;
        return has_place;
    }

private:
    bool stop() {
        const std::lock_guard lock(state_->mutex);
        state_->waiting.remove(waiter_);
        return waiter_->has_place;
    }

    std::shared_ptr<State> state_;
    std::shared_ptr<Waiter> waiter_;
};

}  // namespace

JobPlaces::JobPlaces(std::size_t places, std::size_t waiting_max)
    : state_(std::make_shared<State>()) {
    state_->free_places = places;
    state_->waiting_max = waiting_max;
}

JobPlaces::Place::~Place() {
    if (state_) state_->give_back();
}

Async<JobPlaces::Place> JobPlaces::take(std::chrono::steady_clock::duration patience) {
    const auto state = state_;
    const auto waiter = std::make_shared<Waiter>(co_await asio::this_coro::executor);
    {
        const std::lock_guard lock(state->mutex);
        if (state->free_places > 0) {
            --state->free_places;
            co_return Place(state);
        }
        if (state->waiting.size() >= state->waiting_max) {
            co_return fail(Errc::unavailable, "too many media jobs wait");
        }
        state->waiting.push_back(waiter);
    }
    Wait<State> wait(state, waiter);
    waiter->timer.expires_after(patience);
    co_await waiter->timer.async_wait(asio::as_tuple(use_task));
    if (wait.claim()) co_return Place(state);
    co_return fail(Errc::unavailable, "waited too long for a media job's place");
}

}  // namespace satchel::media
