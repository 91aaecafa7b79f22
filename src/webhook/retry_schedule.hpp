// What an attempt's answer means, and when the next one follows. Contract sections 5.3 and 10.22.
#pragma once

#include "base/clock.hpp"
#include "fetch/fetch.hpp"

#include <cstdint>
#include <optional>

namespace satchel::webhook {

enum class Verdict : std::uint8_t {
    delivered,
    retry,
    give_up,
    not_tried,  // Nothing was sent: the attempt does not count.
};

// 2xx is success; 429, 5xx, time-outs and network errors are tried again; every other status,
// redirects among them, and a target that may not be opened are final.
Verdict judge(const fetch::Posted& posted);

// How long after its `attempts`-th attempt failed a delivery is due again: 3, 6, ... 768 s, each
// a tenth more or less as `dice` (0 to 1) falls. Nullopt: that was the last.
std::optional<Duration> wait_after(std::uint32_t attempts, double dice);

}  // namespace satchel::webhook
