#include "service/pair_limiter.hpp"

#include "base/limits.hpp"
#include "model/api_errors.hpp"

#include <algorithm>

namespace satchel {
namespace {

void drop_old(std::deque<Time>& times, Time now) {
    while (!times.empty() && times.front() + limits::pair_window <= now) times.pop_front();
}

}  // namespace

std::string PairLimiter::key_of(std::string_view sender, std::string_view recipient) {
    std::string key(sender);
    key += '\n';
    key += recipient;
    return key;
}

Result<> PairLimiter::take(std::string_view sender, const std::vector<std::string>& recipients) {
    if (max_ == 0) return {};
    const Time now = clock_.now();
    const std::lock_guard lock(mutex_);
    if (pairs_.size() >= limits::rated_pairs_max) forget_some(now);
    for (const std::string& recipient : recipients) {
        const auto found = pairs_.find(key_of(sender, recipient));
        if (found == pairs_.end()) continue;
        drop_old(found->second, now);
        if (found->second.size() < max_) continue;
        const Duration left = found->second.front() + limits::pair_window - now;
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
        auto refusal = fail(reasons::rate_limited,
                            "Rate limited. Try again in " + std::to_string(seconds) + " seconds.");
        refusal.error().retry_after_seconds = static_cast<std::uint32_t>(seconds);
        return refusal;
    }
    for (const std::string& recipient : recipients) {
        pairs_[key_of(sender, recipient)].push_back(now);
    }
    return {};
}

void PairLimiter::give_back(std::string_view sender, const std::vector<std::string>& recipients) {
    if (max_ == 0) return;
    const std::lock_guard lock(mutex_);
    for (const std::string& recipient : recipients) {
        const auto found = pairs_.find(key_of(sender, recipient));
        if (found != pairs_.end() && !found->second.empty()) found->second.pop_back();
    }
}

void PairLimiter::forget_some(Time now) {
    for (auto pair = pairs_.begin(); pair != pairs_.end();) {
        drop_old(pair->second, now);
        pair = pair->second.empty() ? pairs_.erase(pair) : std::next(pair);
    }
    if (pairs_.size() >= limits::rated_pairs_max) pairs_.clear();
}

}  // namespace satchel
