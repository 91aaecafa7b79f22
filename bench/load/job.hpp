// What the connections of a job have to do, and what came of it.
#pragma once

#include "client.hpp"
#include "work.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace bench {

using Clock = std::chrono::steady_clock;

constexpr std::size_t messages_max = 5;

class Job {
public:
    explicit Job(const JobOptions& options) : options_(options), work_(make_work(options.work)) {}

    std::optional<Request> next() {
        if (options_.count && issued_ >= *options_.count) return std::nullopt;
        if (options_.seconds && Clock::now() >= deadline_) return std::nullopt;
        std::optional<Request> request = work_->next();
        if (request) ++issued_;
        return request;
    }
    void begin(Clock::time_point now) {
        started_ = ended_ = now;
        const std::chrono::duration<double> length(options_.seconds.value_or(0));
        deadline_ = now + std::chrono::duration_cast<Clock::duration>(length);
    }
    // The time that the next turn counts from.
    Clock::time_point due() const {
        if (!options_.per_second) return Clock::now();
        const std::chrono::duration<double> wait(static_cast<double>(issued_) /
                                                 *options_.per_second);
        return started_ + std::chrono::duration_cast<Clock::duration>(wait);
    }
    void end_turn(Clock::time_point turn_started) {
        ended_ = Clock::now();
        const auto latency =
            std::chrono::duration_cast<std::chrono::microseconds>(ended_ - turn_started).count();
        ++result_.turns;
        result_.latencies_us.push_back(static_cast<std::uint32_t>(latency));
    }
    void wrong(std::string message) {
        ++result_.wrong;
        if (result_.messages.size() < messages_max) result_.messages.push_back(std::move(message));
    }
    JobResult take_result(bool was_cut) {
        result_.elapsed = (was_cut ? Clock::now() : ended_) - started_;
        return std::move(result_);
    }

    const JobOptions& options() const { return options_; }
    Work& work() { return *work_; }
    JobResult& result() { return result_; }

    std::size_t busy = 0;     // Connections with a request under way.
    std::size_t waiting = 0;  // Connections, for a turn to be due.
    std::size_t opened = 0;   // Connections that were made.

private:
    JobOptions options_;
    std::unique_ptr<Work> work_;
    JobResult result_;
    std::uint64_t issued_ = 0;
    Clock::time_point started_;
    Clock::time_point ended_;
    Clock::time_point deadline_;
};

}  // namespace bench
