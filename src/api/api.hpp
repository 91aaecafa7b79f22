// The public listener: partner API v3, uploads, downloads, the carrier's bridge, health. Routes:
// api/routes.cpp.
#pragma once

#include "crypto/sigv4.hpp"
#include "http/message.hpp"
#include "service/attachment_service.hpp"
#include "service/bridge_service.hpp"
#include "service/call_limiter.hpp"
#include "service/chat_service.hpp"
#include "service/deletion_service.hpp"
#include "service/line_service.hpp"
#include "service/message_changes.hpp"
#include "service/message_service.hpp"
#include "service/partner_service.hpp"
#include "service/recipient_service.hpp"
#include "service/urls.hpp"
#include "service/webhook_service.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace satchel::api {

// What /readyz needs to know: empty when ready, else the name of the part that is not.
using ReadyCheck = std::function<Task<std::string>()>;
// route name (as in the routes table), outcome: for metrics.
using Observer = std::function<void(std::string_view, const http::Handler::Outcome&)>;

struct Services {
    AttachmentService& attachments;
    DeletionService& deletions;
    PartnerService& partners;
    CallLimiter& call_limiter;
    MessageService& messages;
    ChatService& chats;
    MessageChanges& message_changes;
    LineService& lines;
    RecipientService& recipients;
    WebhookService& webhooks;
    BridgeService* bridge = nullptr;  // Null: no carrier's bridge is configured.
    const UrlMaker& urls;
    const crypto::sigv4::Presigner& presigner;
    const Clock& clock;
    ReadyCheck ready;
    Observer observe;
    std::chrono::seconds download_cache_life{0};  // edge.cache_seconds
    bool allows_http_media = false;               // fetch.allow_http
    std::string cors_origin;                      // "*", one origin, or empty: no CORS.
};

std::unique_ptr<http::Handler> make_handler(Services services);

}  // namespace satchel::api
