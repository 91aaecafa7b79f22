#include "webhook/retry_schedule.hpp"

#include "base/limits.hpp"

namespace satchel::webhook {

Verdict judge(const fetch::Posted& posted) {
    switch (posted.failure) {
        case fetch::Failure::busy:
            return Verdict::not_tried;
        case fetch::Failure::bad_url:
            return Verdict::give_up;
        case fetch::Failure::unreachable:
        case fetch::Failure::timed_out:
            return Verdict::retry;
        case fetch::Failure::none:
        case fetch::Failure::bad_status:
        case fetch::Failure::too_large:
        case fetch::Failure::too_many_redirects:
            break;
    }
    const int status = posted.status;
    if (status >= 200 && status < 300) return Verdict::delivered;
    if (status == 429 || status < 300 || status >= 500) return Verdict::retry;
    return Verdict::give_up;
}

std::optional<Duration> wait_after(std::uint32_t attempts, double dice) {
    if (attempts == 0 || attempts >= limits::webhook_attempts_max) return std::nullopt;
    const Duration plain = limits::webhook_first_wait * (1U << (attempts - 1));
    const double factor = 0.9 + 0.2 * dice;
    return Duration(static_cast<Duration::rep>(static_cast<double>(plain.count()) * factor));
}

}  // namespace satchel::webhook
