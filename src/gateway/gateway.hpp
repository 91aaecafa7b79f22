// Where messages leave for the recipients' devices.
#pragma once

#include "base/async.hpp"
#include "model/message.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace satchel::gateway {

// What became of a message, as far as is known when submit() returns.
struct Outcome {
    std::optional<Time> sent_at;
    std::optional<Time> delivered_at;
    std::optional<Time> read_at;
    // Failed for good: a code of contract section 5.7.
    std::uint16_t failure_code = 0;
    std::string failure_reason;

    bool has_failed() const { return failure_code != 0; }
};

class Gateway {
public:
    virtual ~Gateway() = default;
    // Hands a message over. May be called again for the same message, whose id tells so.
    // Errc::rate_limited, timed_out and unavailable mean: try again later.
    virtual Async<Outcome> submit(const Chat& chat, const Message& message) = 0;
    // Whether recipients that are lines of this server get the message from us.
    virtual bool delivers_between_lines() const = 0;
};

}  // namespace satchel::gateway
