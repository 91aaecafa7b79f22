// Reads times as to_rfc3339() writes them.
#pragma once

#include "base/clock.hpp"

#include <optional>
#include <string_view>

namespace satchel {

// 2026-01-02T03:04:05Z, with up to six digits behind a dot if wanted, or 2026-01-02 for that day's
// beginning. UTC only; anything else, and days or hours that do not exist, is nullopt.
std::optional<Time> parse_rfc3339(std::string_view text);

}  // namespace satchel
