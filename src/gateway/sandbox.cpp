#include "gateway/sandbox.hpp"

namespace satchel::gateway {
namespace {

Fate fate_of_all(const Chat& chat) {
    for (const std::string& handle : chat.recipients()) {
        const Fate fate = fate_of(handle);
        if (fate != Fate::delivered) return fate;
    }
    return Fate::delivered;
}

}  // namespace

Fate fate_of(std::string_view handle) {
    if (handle.ends_with("0777")) return Fate::read;
    if (handle.ends_with("0499")) return Fate::stays_queued;
    if (handle.ends_with("0401")) return Fate::delivery_failed;
    if (handle.ends_with("0405")) return Fate::cannot_receive;
    return Fate::delivered;
}

Async<Outcome> Sandbox::submit(const Chat& chat, const Message& message) {
    // Time may have been set back since, but no message is sent before it was made.
    const Time now = std::max(clock_.now(), message.created_at);
    Outcome outcome;
    const Fate fate = fate_of_all(chat);
    switch (fate) {
        case Fate::stays_queued:
            break;
        case Fate::delivery_failed:
            outcome.failure_code = code_delivery_failed;
            outcome.failure_reason = "Delivery failed";
            break;
        case Fate::cannot_receive:
            outcome.failure_code = code_cannot_receive;
            outcome.failure_reason = "The recipient cannot receive this message type";
            break;
        case Fate::read:
        case Fate::delivered:
            // Receipts as services have them (contract section 5.5).
            outcome.sent_at = now;
            if (message.service != Service::sms) outcome.delivered_at = now;
            if (fate == Fate::read && message.service == Service::imessage) outcome.read_at = now;
            break;
    }
    co_return outcome;
}

}  // namespace satchel::gateway
