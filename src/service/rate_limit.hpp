// So many calls of one partner in a minute (contract section 1.8: off unless configured).
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/ids.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace satchel {

// Counts by whole seconds of the clock: of any sixty in a row, those that have so many calls take
// no more, and whoever waits as long as it is told finds room. Kept in memory, a few hundred
// bytes for each partner that called within the last minutes; a restart forgets.
//
// Usable from every loop at once: partners are spread over shards with a lock each.
class RateLimit {
public:
    // reasons::rate_limited, with the seconds to wait, once a minute's calls are used up; what is
    // refused does not count. 0: no limit, at no cost.
    Result<> take(PartnerId partner, std::uint32_t per_minute, Time now);

    // Partners that it remembers.
    std::size_t size() const;

private:
    static constexpr std::size_t window = 60;
    static constexpr std::size_t shard_count = 16;
    static constexpr std::size_t tidy_at_first = 64;

    struct Calls {
        std::array<std::uint32_t, window> by_second{};
        std::int64_t newest = 0;  // The second that was counted last.
        std::uint32_t total = 0;  // Of by_second.
    };
    struct Shard {
        mutable std::mutex mutex;
        std::unordered_map<PartnerId, Calls, IdHash> partners;
        std::size_t tidy_at = tidy_at_first;
    };

    static Calls& calls_of(Shard& shard, PartnerId partner, std::int64_t second);
    static void advance(Calls& calls, std::int64_t second);
    static std::uint32_t seconds_to_wait(const Calls& calls, std::uint32_t per_minute);

    std::array<Shard, shard_count> shards_;
};

}  // namespace satchel
