#include "model/byte_range.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace satchel {
namespace {

// One element of the list, as asked for. Without `first` it is a suffix: the last `last` bytes.
struct RangeSpec {
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> last;
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trim(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool is_bytes_unit(std::string_view unit) {
    return std::ranges::equal(unit, std::string_view("bytes"), {}, to_lower);
}

// A number of any length; beyond 64 bits it means "further than any file reaches".
std::optional<std::uint64_t> parse_position(std::string_view digits) {
    constexpr auto max = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (!is_digit(c)) return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        value = value > (max - digit) / 10 ? max : value * 10 + digit;
    }
    return value;
}

std::optional<RangeSpec> parse_spec(std::string_view text) {
    const auto dash = text.find('-');
    if (dash == std::string_view::npos || text.size() == 1) return std::nullopt;
    RangeSpec spec;
    if (dash > 0) {
        spec.first = parse_position(text.substr(0, dash));
        if (!spec.first) return std::nullopt;
    }
    if (dash + 1 < text.size()) {
        spec.last = parse_position(text.substr(dash + 1));
        if (!spec.last) return std::nullopt;
    }
    if (spec.first && spec.last && *spec.last < *spec.first) return std::nullopt;
    return spec;
}

// The bytes of a file of `size` bytes that `spec` means, if there are any.
std::optional<ByteRange> resolve(const RangeSpec& spec, std::uint64_t size) {
    if (!spec.first) {
        const std::uint64_t count = std::min(spec.last.value_or(0), size);
        if (count == 0) return std::nullopt;
        return ByteRange{size - count, size - 1};
    }
    if (*spec.first >= size) return std::nullopt;
    return ByteRange{*spec.first, std::min(spec.last.value_or(size - 1), size - 1)};
}

bool touch(const ByteRange& a, const ByteRange& b) {
    // A range ends below the file's size, so last + 1 cannot overflow.
    return a.first <= b.last + 1 && b.first <= a.last + 1;
}

// Adds `range`, united with those it touches, where the first of them stood. No two of `ranges`
// touch before or after.
void merge_into(std::vector<ByteRange>& ranges, const ByteRange& range) {
    const auto meets = [&range](const ByteRange& other) { return touch(other, range); };
    const auto place = std::ranges::find_if(ranges, meets);
    if (place == ranges.end()) {
        ranges.push_back(range);
        return;
    }
    ByteRange united = range;
    for (auto it = place; it != ranges.end(); ++it) {
        if (!meets(*it)) continue;
        united = {std::min(united.first, it->first), std::max(united.last, it->last)};
    }
    *place = united;
    ranges.erase(std::remove_if(place + 1, ranges.end(), meets), ranges.end());
}

}  // namespace

RangeRequest parse_range(std::string_view value, std::uint64_t size) {
    const RangeRequest whole;
    const std::string_view text = trim(value);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || !is_bytes_unit(text.substr(0, equals))) return whole;

    RangeRequest request{RangeRequest::Kind::partial, {}};
    std::size_t asked = 0;
    std::string_view rest = text.substr(equals + 1);
    for (bool more = true; more;) {
        const auto comma = rest.find(',');
        const std::string_view element = trim(rest.substr(0, comma));
        more = comma != std::string_view::npos;
        if (more) rest = rest.substr(comma + 1);
        if (element.empty()) continue;  // Empty list elements mean nothing (RFC 9110, 5.6.1.2).
        const auto spec = parse_spec(element);
        if (!spec || ++asked > limits::ranges_max) return whole;
        if (const auto range = resolve(*spec, size)) merge_into(request.ranges, *range);
    }
    if (asked == 0) return whole;
    if (request.ranges.empty()) request.kind = RangeRequest::Kind::unsatisfiable;
    return request;
}

}  // namespace satchel
