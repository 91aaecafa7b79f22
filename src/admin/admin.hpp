// The operator's listener: JSON under /admin/v1 with a bearer token, and GET /metrics.
// The CLI speaks to nothing else. Documented in docs/operations/admin-api.md.
#pragma once

#include "admin/metrics.hpp"
#include "http/message.hpp"
#include "model/quota.hpp"
#include "service/attachment_service.hpp"
#include "service/erasure_service.hpp"
#include "service/inbound_service.hpp"
#include "service/key_rotation.hpp"
#include "service/media_service.hpp"
#include "service/message_service.hpp"
#include "service/partner_service.hpp"
#include "service/urls.hpp"
#include "service/webhook_service.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace satchel::admin {

struct Services {
    AttachmentService& attachments;
    PartnerService& partners;
    InboundService& inbound;
    MediaService& media;
    MessageService& messages;
    WebhookService& webhooks;
    ErasureService& erasures;
    meta::Database& database;
    const UrlMaker& urls;
    KeyRotation& keys;
    const Clock& clock;
    Metrics& metrics;
    std::function<Task<std::string>()> ready;  // Empty when ready, else the failing part.
    // Seconds since the sweeper last had nothing left to do.
    std::function<double()> sweeper_lag;
    // What this machine lacks for media work, one sentence each.
    std::function<std::vector<std::string>()> media_problems;
    // Present only with --test-clock: moves time and returns when every sweep has followed.
    std::function<Task<Result<>>(std::chrono::seconds)> advance_clock;
    Quota quota;  // Of partners that have none of their own, and so on.
    CallRates call_rates;
    // Backups: docs/operations/admin-api.md. Errc::conflict while one runs.
    std::function<Result<>(std::filesystem::path)> start_backup;
    std::function<boost::json::object()> backup_status;
    std::string token;
};

std::unique_ptr<http::Handler> make_handler(Services services);

}  // namespace satchel::admin
