// The power of a machine: goes off at a chosen call of the write path, for all that hangs on it.
#pragma once

#include "base/result.hpp"

#include <atomic>

namespace satchel::test {

// Thread-safe.
class PowerSupply {
public:
    // The power goes with the call number `call` (from 0, from now on): it does nothing, and every
    // later one neither.
    void cut_at(int call) { calls_left_ = call; }
    bool is_off() const { return off_; }

    // Counts a call. Errc::unavailable if the power is off.
    Result<> next_call() {
        if (calls_left_-- == 0) off_ = true;
        if (off_) return fail(Errc::unavailable, "the power is off");
        return {};
    }

private:
    std::atomic<int> calls_left_{-1};
    std::atomic<bool> off_{false};
};

}  // namespace satchel::test
