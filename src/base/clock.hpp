// Wall-clock time as the service sees it. Everything that expires asks a Clock, so that a test
// can move time (satchel dev --test-clock).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace satchel {

using Time = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

// Thread-safe.
class Clock {
public:
    Clock() = default;
    explicit Clock(Time fixed) : fixed_(fixed.time_since_epoch().count()), is_fixed_(true) {}

    Time now() const;
    // Moves every later now() forward (or back, if negative).
    void advance(Duration by);

private:
    std::int64_t fixed_ = 0;
    bool is_fixed_ = false;
    std::atomic<std::int64_t> offset_{0};
};

std::string to_rfc3339(Time time);          // 2026-01-02T03:04:05.678901Z
std::string to_rfc3339_seconds(Time time);  // 2026-01-02T03:04:05Z, rounded down.
std::string to_http_date(Time time);        // Fri, 02 Jan 2026 03:04:05 GMT

inline std::int64_t to_micros(Time time) {
    return time.time_since_epoch().count();
}
inline Time from_micros(std::int64_t micros) {
    return Time{Duration{micros}};
}

}  // namespace satchel
