// How many messages a sender may send to one recipient within limits::pair_window. Kept in
// memory: a restart forgets. Thread-safe.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace satchel {

class PairLimiter {
public:
    // `max` 0: no limit.
    PairLimiter(const Clock& clock, std::uint32_t max) : clock_(clock), max_(max) {}

    // Counts one message to each recipient, or none and reasons::rate_limited with the seconds
    // to wait.
    Result<> take(std::string_view sender, const std::vector<std::string>& recipients);
    // Takes back what take() counted for a message that was not sent.
    void give_back(std::string_view sender, const std::vector<std::string>& recipients);

private:
    using Times = std::deque<Time>;
    static std::string key_of(std::string_view sender, std::string_view recipient);
    void forget_some(Time now);

    const Clock& clock_;
    const std::uint32_t max_;
    std::mutex mutex_;
    std::unordered_map<std::string, Times> pairs_;
};

}  // namespace satchel
