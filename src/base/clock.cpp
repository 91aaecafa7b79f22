#include "base/clock.hpp"

#include <array>
#include <cstdio>

namespace satchel {
namespace {

struct Civil {
    std::chrono::year_month_day date;
    std::chrono::hh_mm_ss<Duration> time;
    std::chrono::weekday weekday;
};

Civil civil(Time time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    return {std::chrono::year_month_day(day), std::chrono::hh_mm_ss<Duration>(time - day),
            std::chrono::weekday(day)};
}

// `value` as exactly `width` digits, in place: these run for every answer.
void put_digits(char* at, std::int64_t value, int width) {
    for (int i = width - 1; i >= 0; --i) {
        at[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

// "2026-01-02T03:04:05"; years 0 to 9999.
std::string date_and_time(const Civil& c) {
    std::string text = "0000-00-00T00:00:00";
    put_digits(&text[0], static_cast<int>(c.date.year()), 4);
    put_digits(&text[5], static_cast<unsigned>(c.date.month()), 2);
    put_digits(&text[8], static_cast<unsigned>(c.date.day()), 2);
    put_digits(&text[11], c.time.hours().count(), 2);
    put_digits(&text[14], c.time.minutes().count(), 2);
    put_digits(&text[17], c.time.seconds().count(), 2);
    return text;
}

}  // namespace

Time Clock::now() const {
    const Time base =
        is_fixed_ ? from_micros(fixed_)
                  : std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    return base + Duration{offset_.load(std::memory_order_relaxed)};
}

void Clock::advance(Duration by) {
    offset_.fetch_add(by.count(), std::memory_order_relaxed);
}

std::string to_rfc3339(Time time) {
    const Civil c = civil(time);
    std::string text = date_and_time(c) + ".000000Z";
    put_digits(&text[20], c.time.subseconds().count(), 6);
    return text;
}

std::string to_rfc3339_seconds(Time time) {
    return date_and_time(civil(time)) + "Z";
}

std::string to_http_date(Time time) {
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const Civil c = civil(time);
    std::array<char, 48> text{};
    const int n = std::snprintf(
        text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
        days[c.weekday.c_encoding()], static_cast<unsigned>(c.date.day()),
        months[static_cast<unsigned>(c.date.month()) - 1], static_cast<int>(c.date.year()),
        static_cast<int>(c.time.hours().count()), static_cast<int>(c.time.minutes().count()),
        static_cast<int>(c.time.seconds().count()));
    return {text.data(), static_cast<std::size_t>(n)};
}

}  // namespace satchel
