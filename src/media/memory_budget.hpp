// Memory that all jailed jobs share: how many run at once follows from what each may take.
#pragma once

#include "base/async.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstdint>
#include <list>
#include <utility>

namespace satchel::media {

// Used on one loop. Outlives its reservations.
class MemoryBudget {
public:
    // Given back when destroyed.
    class Reservation {
    public:
        Reservation() = default;
        Reservation(MemoryBudget& budget, std::uint64_t bytes) : budget_(&budget), bytes_(bytes) {}
        ~Reservation() {
            if (budget_ != nullptr) budget_->give_back(bytes_);
        }
        Reservation(Reservation&& other) noexcept
            : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
        Reservation& operator=(Reservation&& other) noexcept {
            std::swap(budget_, other.budget_);
            std::swap(bytes_, other.bytes_);
            return *this;
        }
        std::uint64_t bytes() const { return bytes_; }

    private:
        MemoryBudget* budget_ = nullptr;
        std::uint64_t bytes_ = 0;
    };

    explicit MemoryBudget(std::uint64_t bytes) : free_(bytes), all_(bytes) {}
    MemoryBudget(const MemoryBudget&) = delete;
    MemoryBudget& operator=(const MemoryBudget&) = delete;

    using Time = std::chrono::steady_clock::time_point;
    // When one who begins to wait now gives up: limits::media_wait_max from now.
    static Time patience();

    // Waits its turn: in order, so that a big job is not passed by small ones for ever.
    // Errc::too_large if there will never be so much, Errc::unavailable if
    // limits::media_jobs_waiting_max wait already, at `until` and after stop().
    Async<Reservation> reserve(std::uint64_t bytes, Time until);

    // Whoever waits is refused at once, as is whoever comes later.
    void stop();

    std::uint64_t free_bytes() const { return free_; }

private:
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;
    struct Waiter {
        std::uint64_t bytes;
        Timer turn;  // Cancelled when it has come.
        bool granted = false;
    };
    class Place;

    void give_back(std::uint64_t bytes);
    void grant();

    std::uint64_t free_;
    std::uint64_t all_;
    std::list<Waiter> waiting_;
    bool stopping_ = false;
};

}  // namespace satchel::media
