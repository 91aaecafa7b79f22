// Where messages leave for the recipients' devices.
#pragma once

#include "base/async.hpp"
#include "model/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace satchel::gateway {

// A code and what people read of it: contract section 5.7.
inline constexpr std::uint16_t code_retries_exhausted = 3007;
inline constexpr std::uint16_t code_delivery_failed = 4001;
inline constexpr std::uint16_t code_cannot_receive = 4005;
bool is_failure_code(std::int64_t code);
// Cut to limits::failure_reason_bytes_max, at the end of a character.
std::string failure_reason_of(std::string_view text);

// What became of a message, as far as is known.
struct Outcome {
    std::optional<Time> sent_at;
    std::optional<Time> delivered_at;
    std::optional<Time> read_at;
    // Failed for good.
    std::uint16_t failure_code = 0;
    std::string failure_reason;

    bool has_failed() const { return failure_code != 0; }
};

// `status` is sent, delivered or read; what comes before it is reached with it. Any other: nothing
// is known.
Outcome reached(DeliveryStatus status, Time at);

class Gateway {
public:
    virtual ~Gateway() = default;
    // Hands a message over. May be called again for the same message, whose id tells so.
    // Errc::rate_limited, timed_out and unavailable mean: try again later.
    virtual Async<Outcome> submit(const Chat& chat, const Message& message) = 0;
    // Whether it fetches the media of what it is handed: then their URLs are signed ones.
    virtual bool fetches_media() const = 0;
    // Whether recipients that are lines of this server get the message from us.
    virtual bool delivers_between_lines() const = 0;
};

}  // namespace satchel::gateway
