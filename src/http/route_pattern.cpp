#include "http/route_pattern.hpp"

namespace satchel::http {
namespace {

// What stands behind the first '/', up to the next one. `path` begins with a '/'.
std::string_view take_segment(std::string_view& path) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

}  // namespace

std::optional<std::string_view> match_route(std::string_view pattern, std::string_view path) {
    std::optional<std::string_view> first;
    while (!pattern.empty() && path.starts_with('/')) {
        const std::string_view wanted = take_segment(pattern);
        const std::string_view found = take_segment(path);
        if (!wanted.starts_with('{')) {
            if (wanted != found) return std::nullopt;
            continue;
        }
        if (found.empty()) return std::nullopt;
        if (!first) first = found;
    }
    if (!pattern.empty() || !path.empty()) return std::nullopt;
    return first.value_or(std::string_view());
}

}  // namespace satchel::http
