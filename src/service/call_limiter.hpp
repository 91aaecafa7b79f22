// How often a partner may call the partner API. What carries bytes, uploads and downloads by URL,
// is not counted: nobody's key is in it. Kept in memory: a restart forgets.
//
// Usable from every loop at once.
#pragma once

#include "model/partner.hpp"
#include "service/rate_limit.hpp"

#include <cstdint>

namespace satchel {

// What a call counts as beside being a request.
enum class CallKind : std::uint8_t { other, create, send };

class CallLimiter {
public:
    // `rates`: of a partner that has none of its own.
    explicit CallLimiter(CallRates rates) : rates_(rates) {}

    // Counts one call. reasons::rate_limited with the seconds to wait; then it counts as nothing.
    Result<> take(const Caller& caller, Time now);
    // Counts what kind of call it is, once that is known. Errors as take().
    Result<> take_kind(const Caller& caller, CallKind kind, Time now);

private:
    const CallRates rates_;
    RateLimit requests_;
    RateLimit creates_;
    RateLimit sends_;
};

}  // namespace satchel
