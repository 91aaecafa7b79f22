// So many calls of one partner in a minute (contract section 1.8: off unless configured).
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace satchel {

// Counts in whole minutes of the clock. Thread-safe; costs nothing when there is no limit.
class RateLimit {
public:
    explicit RateLimit(std::uint32_t per_minute) : per_minute_(per_minute) {}

    // reasons::rate_limited, with the seconds to wait, once the minute's calls are used up.
    Result<> take(PartnerId partner, Time now);

private:
    std::uint32_t per_minute_;
    std::mutex mutex_;
    std::int64_t minute_ = 0;
    std::unordered_map<PartnerId, std::uint32_t, IdHash> used_;  // In this minute.
};

}  // namespace satchel
