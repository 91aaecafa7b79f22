// Times as other programs write them.
#pragma once

#include "base/clock.hpp"

#include <optional>
#include <string_view>

namespace satchel {

// 2026-01-02T03:04:05Z, with a fraction of any length (kept to the microsecond) and with an offset
// instead of Z. Nullopt for anything else, days that no calendar has and leap seconds included.
std::optional<Time> parse_rfc3339(std::string_view text);

}  // namespace satchel
