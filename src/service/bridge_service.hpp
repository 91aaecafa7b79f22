// What the operator's carrier bridge tells: what became of messages, and messages that come in.
// Protocol: docs/api/gateway.md.
//
// Order of writes of an inbound message: with texts alone, one transaction stores and announces
// it. With files it is durable in gateway_inbox, with its job, before the bridge is answered;
// service/receive_worker does the rest.
//
// Usable from every loop at once.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "crypto/webhook_signature.hpp"
#include "meta/database.hpp"
#include "model/carried_message.hpp"
#include "service/inbound_service.hpp"
#include "service/media_service.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace satchel {

struct StatusReport {
    MessageId message;
    DeliveryStatus status = DeliveryStatus::sent;  // sent, delivered, read or failed.
    std::optional<Time> at;                        // Absent: now.
    std::uint16_t failure_code = 0;                // Of failed: one that is_failure_code() knows.
    std::string failure_reason;
};

class BridgeService {
public:
    struct Parts {
        meta::Database& database;
        MediaService& media;
        InboundService& inbound;
        const Clock& clock;
        std::string secret;  // whsec_...
        std::function<void()> wake_receiving;
    };
    explicit BridgeService(Parts parts) : parts_(std::move(parts)) {}

    // Whether the bridge signed `message`, within limits::gateway_signature_skew_max of the real
    // time. `signatures`: the value of webhook-signature.
    bool is_genuine(const crypto::WebhookMessage& message, std::string_view signatures) const;

    // The message's status after it: a report that comes late or twice changes nothing.
    // reasons::message_not_found.
    Async<DeliveryStatus> report(StatusReport report);

    // The id of the message it is or becomes; the same for the same line and bridge_id within
    // limits::gateway_id_life. reasons::phone_number_not_found.
    Async<MessageId> take_in(CarriedMessage message);

private:
    Result<MessageId> write(meta::Session& session, const CarriedMessage& message) const;

    Parts parts_;
};

}  // namespace satchel
