// What sends, delivers and receives messages, joined.
#pragma once

#include "app/config.hpp"
#include "gateway/gateway.hpp"
#include "jobs/runner.hpp"
#include "service/bridge_service.hpp"
#include "service/carried_media.hpp"
#include "service/chat_service.hpp"
#include "service/delivery_worker.hpp"
#include "service/inbound_service.hpp"
#include "service/line_service.hpp"
#include "service/media_service.hpp"
#include "service/message_changes.hpp"
#include "service/message_service.hpp"
#include "service/pair_limiter.hpp"
#include "service/receive_worker.hpp"
#include "service/recipient_service.hpp"

#include <memory>
#include <optional>

namespace satchel::app {

struct Messaging {
    // `to_bridge`: given exactly when the gateway is http.
    Messaging(const Config& config,
              Loop& loop,
              MediaService::Parts parts,
              fetch::Fetcher* to_bridge);
    Messaging(const Messaging&) = delete;
    Messaging& operator=(const Messaging&) = delete;

    PairLimiter limiter;
    MediaService media;
    InboundService inbound;
    std::unique_ptr<gateway::Gateway> gateway;
    DeliveryWorker worker;
    jobs::Runner deliveries;
    CarriedMedia files;
    ReceiveWorker receiver;
    jobs::Runner receipts;  // Also without a bridge: what it had handed in before is still to do.
    std::optional<BridgeService> bridge;
    MessageService messages;
    ChatService chats;
    MessageChanges message_changes;
    LineService lines;
    RecipientService recipients;
};

}  // namespace satchel::app
