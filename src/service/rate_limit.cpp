#include "service/rate_limit.hpp"

#include "model/api_errors.hpp"

#include <chrono>

namespace satchel {

Result<> RateLimit::take(PartnerId partner, Time now) {
    if (per_minute_ == 0) return {};
    const auto minute = std::chrono::floor<std::chrono::minutes>(now);
    const std::lock_guard lock(mutex_);
    if (minute_ != minute.time_since_epoch().count()) {
        minute_ = minute.time_since_epoch().count();
        used_.clear();
    }
    if (used_[partner]++ < per_minute_) return {};
    const auto wait =
        std::chrono::ceil<std::chrono::seconds>(minute + std::chrono::minutes(1) - now);
    Error error;
    error.code = Errc::rate_limited;
    error.reason = &reasons::rate_limited;
    error.retry_after_seconds = static_cast<std::uint32_t>(wait.count());
    error.message = "Rate limited. Try again in " + std::to_string(wait.count()) + " seconds.";
    return std::unexpected(std::move(error));
}

}  // namespace satchel
