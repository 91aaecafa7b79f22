#include "service/rate_limit.hpp"

#include "model/api_errors.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace satchel {

Result<> RateLimit::take(PartnerId partner, std::uint32_t per_minute, Time now) {
    if (per_minute == 0) return {};
    const std::int64_t second =
        std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    Shard& shard = shards_[IdHash{}(partner) % shard_count];
    std::uint32_t wait = 0;
    {
        const std::lock_guard lock(shard.mutex);
        Calls& calls = calls_of(shard, partner, second);
        if (calls.total < per_minute) {
            ++calls.by_second[static_cast<std::size_t>(calls.newest) % window];
            ++calls.total;
            return {};
        }
        wait = seconds_to_wait(calls, per_minute);
    }
    auto refusal = fail(reasons::rate_limited,
                        "Rate limited. Try again in " + std::to_string(wait) + " seconds.");
    refusal.error().retry_after_seconds = wait;
    return refusal;
}

std::size_t RateLimit::size() const {
    std::size_t size = 0;
    for (const Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        size += shard.partners.size();
    }
    return size;
}

RateLimit::Calls& RateLimit::calls_of(Shard& shard, PartnerId partner, std::int64_t second) {
    const auto found = shard.partners.find(partner);
    if (found != shard.partners.end()) {
        advance(found->second, second);
        return found->second;
    }
    if (shard.partners.size() >= shard.tidy_at) {
        std::erase_if(shard.partners, [second](const auto& each) {
            return each.second.newest + static_cast<std::int64_t>(window) <= second;
        });
        shard.tidy_at = std::max(tidy_at_first, 2 * shard.partners.size());
    }
    Calls& calls = shard.partners[partner];
    calls.newest = second;
    return calls;
}

// Seconds that are more than a minute old are forgotten. A clock that goes back stays where it
// was.
void RateLimit::advance(Calls& calls, std::int64_t second) {
    if (second - calls.newest >= static_cast<std::int64_t>(window)) {
        calls = Calls{};
        calls.newest = second;
        return;
    }
    while (calls.newest < second) {
        ++calls.newest;
        std::uint32_t& oldest = calls.by_second[static_cast<std::size_t>(calls.newest) % window];
        calls.total -= oldest;
        oldest = 0;
    }
}

// Until the beginning of the second in which enough of the calls are a minute old.
std::uint32_t RateLimit::seconds_to_wait(const Calls& calls, std::uint32_t per_minute) {
    std::uint32_t left = calls.total;
    std::uint32_t wait = 0;
    while (left >= per_minute && wait < window) {
        ++wait;
        left -= calls.by_second[static_cast<std::size_t>(calls.newest + wait) % window];
    }
    return wait;
}

}  // namespace satchel
