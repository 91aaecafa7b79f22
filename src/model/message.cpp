#include "model/message.hpp"

#include <array>

namespace satchel {
namespace {

template <class Enum, std::size_t N>
std::optional<Enum> find_spelling(std::string_view text, const std::array<Enum, N>& values) {
    for (const Enum value : values) {
        if (to_string(value) == text) return value;
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(EffectType type) {
    return type == EffectType::screen ? "screen" : "bubble";
}

std::string_view to_string(DeliveryStatus status) {
    switch (status) {
        case DeliveryStatus::pending:
            return "pending";
        case DeliveryStatus::queued:
            return "queued";
        case DeliveryStatus::sent:
            return "sent";
        case DeliveryStatus::delivered:
            return "delivered";
        case DeliveryStatus::received:
            return "received";
        case DeliveryStatus::read:
            return "read";
        case DeliveryStatus::failed:
            return "failed";
    }
    return {};
}

std::string_view to_string(Direction direction) {
    return direction == Direction::inbound ? "inbound" : "outbound";
}

std::string_view event_type(MessageEventKind kind) {
    switch (kind) {
        case MessageEventKind::sent:
            return "message.sent";
        case MessageEventKind::received:
            return "message.received";
        case MessageEventKind::delivered:
            return "message.delivered";
        case MessageEventKind::read:
            return "message.read";
        case MessageEventKind::failed:
            return "message.failed";
    }
    return {};
}

std::optional<DeliveryStatus> parse_delivery_status(std::string_view text) {
    using enum DeliveryStatus;
    return find_spelling(text,
                         std::array{pending, queued, sent, delivered, received, read, failed});
}

}  // namespace satchel
