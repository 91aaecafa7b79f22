// Who wants to hear of which events. Contract section 5.1.
#pragma once

#include "base/clock.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel {

using SubscriptionId = Id<struct SubscriptionTag>;
// The same for every receiver of an event and every attempt.
using EventId = Id<struct EventTag>;

// The shapes a message event's "data" comes in (contract sections 5.5 and 5.6).
enum class PayloadVersion : std::uint8_t { v2025_01_01, v2026_02_03 };
std::string_view to_string(PayloadVersion version);  // "2026-02-03"

struct WebhookSubscription {
    SubscriptionId id;
    PartnerId partner;
    std::string target_url;
    std::vector<std::string> events;         // At least one, each once.
    std::vector<std::string> phone_numbers;  // Empty: all of the partner's lines.
    bool is_active = true;
    Time created_at{};
    Time updated_at{};

    bool wants(std::string_view event_type, std::string_view phone_number) const;
};

// What ?version=YYYY-MM-DD in the target asks for; without it, what was current when the
// subscription was made. An unknown date means the newest version not later than it.
PayloadVersion payload_version(std::string_view target_url, Time created_at);

// All 45 event types of the contract, section 5.2, in its order. Some are never fired.
const std::vector<std::string_view>& webhook_event_types();
bool is_webhook_event_type(std::string_view type);

}  // namespace satchel
