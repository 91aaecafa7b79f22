#include "base/rfc3339.hpp"

#include <cstddef>

namespace satchel {
namespace {

constexpr std::string_view shape = "0000-00-00T00:00:00";
constexpr std::size_t date_size = 10;
constexpr std::size_t fraction_digits_max = 6;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool has_shape(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (shape[i] == '0' ? !is_digit(text[i]) : text[i] != shape[i]) return false;
    }
    return true;
}

int number_at(std::string_view text, std::size_t at, std::size_t digits) {
    int value = 0;
    for (const char c : text.substr(at, digits)) value = value * 10 + (c - '0');
    return value;
}

// ".5" is 500000 microseconds.
std::optional<Duration> parse_fraction(std::string_view text) {
    if (text.empty()) return Duration{0};
    text.remove_prefix(1);
    if (text.empty() || text.size() > fraction_digits_max) return std::nullopt;
    int micros = 0;
    for (std::size_t i = 0; i < fraction_digits_max; ++i) {
        if (i < text.size() && !is_digit(text[i])) return std::nullopt;
        micros = micros * 10 + (i < text.size() ? text[i] - '0' : 0);
    }
    return Duration{micros};
}

}  // namespace

std::optional<Time> parse_rfc3339(std::string_view text) {
    if (text.size() < date_size || !has_shape(text.substr(0, shape.size()))) return std::nullopt;
    const std::chrono::year_month_day day{
        std::chrono::year{number_at(text, 0, 4)},
        std::chrono::month{static_cast<unsigned>(number_at(text, 5, 2))},
        std::chrono::day{static_cast<unsigned>(number_at(text, 8, 2))}};
    if (!day.ok()) return std::nullopt;
    const Time midnight{std::chrono::sys_days{day}};
    if (text.size() == date_size) return midnight;

    if (text.size() <= shape.size() || !text.ends_with('Z')) return std::nullopt;
    const std::chrono::hours hours{number_at(text, 11, 2)};
    const std::chrono::minutes minutes{number_at(text, 14, 2)};
    const std::chrono::seconds seconds{number_at(text, 17, 2)};
    if (hours.count() > 23 || minutes.count() > 59 || seconds.count() > 59) return std::nullopt;
    const auto tail = text.substr(shape.size(), text.size() - shape.size() - 1);
    if (!tail.empty() && tail.front() != '.') return std::nullopt;
    const auto fraction = parse_fraction(tail);
    if (!fraction) return std::nullopt;
    return midnight + hours + minutes + seconds + *fraction;
}

}  // namespace satchel
