// What sends, delivers and receives messages, joined.
#pragma once

#include "app/config.hpp"
#include "gateway/sandbox.hpp"
#include "jobs/runner.hpp"
#include "service/chat_service.hpp"
#include "service/delivery_worker.hpp"
#include "service/inbound_service.hpp"
#include "service/line_service.hpp"
#include "service/media_service.hpp"
#include "service/message_changes.hpp"
#include "service/message_service.hpp"
#include "service/pair_limiter.hpp"
#include "service/recipient_service.hpp"

namespace satchel::app {

struct Messaging {
    Messaging(const Config& config, Loop& loop, MediaService::Parts parts);
    Messaging(const Messaging&) = delete;
    Messaging& operator=(const Messaging&) = delete;

    PairLimiter limiter;
    MediaService media;
    InboundService inbound;
    gateway::Sandbox sandbox;
    DeliveryWorker worker;
    jobs::Runner deliveries;
    MessageService messages;
    ChatService chats;
    MessageChanges message_changes;
    LineService lines;
    RecipientService recipients;
};

}  // namespace satchel::app
