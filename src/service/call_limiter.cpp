#include "service/call_limiter.hpp"

namespace satchel {

Result<> CallLimiter::take(const Caller& caller, Time now) {
    return requests_.take(caller.partner, rates_of(caller.rates, rates_).requests, now);
}

Result<> CallLimiter::take_kind(const Caller& caller, CallKind kind, Time now) {
    const CallRates rates = rates_of(caller.rates, rates_);
    switch (kind) {
        case CallKind::create:
            return creates_.take(caller.partner, rates.creates, now);
        case CallKind::send:
            return sends_.take(caller.partner, rates.sends, now);
        case CallKind::other:
            break;
    }
    return {};
}

}  // namespace satchel
