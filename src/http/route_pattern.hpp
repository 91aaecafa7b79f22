// Paths as tables of routes write them: "/chats/{id}/messages".
#pragma once

#include <optional>
#include <string_view>

namespace satchel::http {

// Whether `path` has the segments of `pattern`; one in braces stands for any that is not empty.
// Gives what stands in the first of those, raw; empty if the pattern has none. nullopt: no match.
std::optional<std::string_view> match_route(std::string_view pattern, std::string_view path);

}  // namespace satchel::http
