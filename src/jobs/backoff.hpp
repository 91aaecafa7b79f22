// How long a job waits after a failed attempt, and when it is given up.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>

namespace satchel::jobs {

struct Backoff {
    Duration first;              // After the first attempt; doubles with each.
    std::uint32_t attempts_max;  // The first included.

    // nullopt: `attempts` were all.
    std::optional<Duration> wait_after(std::uint32_t attempts) const {
        if (attempts >= attempts_max) return std::nullopt;
        return first * (std::int64_t{1} << (attempts > 0 ? attempts - 1 : 0));
    }
};

}  // namespace satchel::jobs
