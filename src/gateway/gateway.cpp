#include "gateway/gateway.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <array>

namespace satchel::gateway {

bool is_failure_code(std::int64_t code) {
    static constexpr std::array<std::int64_t, 7> known{3007, 4001, 4002, 4005, 4006, 4007, 4008};
    return std::ranges::find(known, code) != known.end();
}

std::string failure_reason_of(std::string_view text) {
    if (text.size() <= limits::failure_reason_bytes_max) return std::string(text);
    std::size_t end = limits::failure_reason_bytes_max;
    const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
    while (end > 0 && continues(text[end])) --end;
    return std::string(text.substr(0, end));
}

Outcome reached(DeliveryStatus status, Time at) {
    Outcome outcome;
    const bool is_read = status == DeliveryStatus::read;
    const bool is_delivered = is_read || status == DeliveryStatus::delivered;
    if (is_delivered || status == DeliveryStatus::sent) outcome.sent_at = at;
    if (is_delivered) outcome.delivered_at = at;
    if (is_read) outcome.read_at = at;
    return outcome;
}

}  // namespace satchel::gateway
