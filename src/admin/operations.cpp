#include "admin/operations.hpp"

#include "admin/render.hpp"
#include "base/limits.hpp"
#include "meta/attachments.hpp"
#include "meta/usage.hpp"
#include "model/api_errors.hpp"

#include <boost/json.hpp>

#include <unordered_map>

namespace satchel::admin {
namespace {

namespace json = boost::json;

// Ten years: enough for any test, and far from where time overflows.
constexpr std::int64_t advance_seconds_max = 10LL * 366 * 24 * 3600;

struct Counts {
    std::vector<meta::Usage> usage;
    std::size_t blob_removals = 0;
};

Result<Counts> count(meta::Session& session) {
    Counts counts;
    TRY(counts.usage, meta::all_usage(session));
    TRY(const auto removals, meta::pending_blob_removals(session, limits::sweep_batch_max));
    counts.blob_removals = removals.size();
    return counts;
}

json::object render(const Partner& partner, const meta::Usage& usage) {
    return {{"partner_id", partner.id.str()},
            {"name", partner.name},
            {"attachments",
             {{"pending", usage.pending}, {"complete", usage.complete}, {"failed", usage.failed}}},
            {"bytes", usage.complete_bytes}};
}

}  // namespace

Async<http::Response> health(Call call) {
    const std::string failing = co_await call.services.ready();
    json::object answer{{"ready", failing.empty()}};
    if (!failing.empty()) answer["failing"] = failing;
    // The server is ready all the same: files are delivered as they are.
    answer["media_problems"] = json::value_from(call.services.media_problems());
    co_return json_response(failing.empty() ? 200 : 503, answer);
}

Async<http::Response> stats(Call call) {
    CO_TRY(const auto partners, co_await call.services.partners.partners());
    CO_TRY(const Counts counts, co_await call.services.database.read(count));
    std::unordered_map<PartnerId, meta::Usage, IdHash> usage;
    for (const auto& entry : counts.usage) usage.emplace(entry.partner, entry);
    json::array rows;
    for (const Partner& partner : partners) {
        rows.push_back(render(partner, usage[partner.id]));
    }
    CO_TRY(const auto outbox, co_await call.services.webhooks.counts());
    const auto commits = call.services.database.stats();
    const json::object answer{
        {"partners", std::move(rows)},
        // Each counted up to a limit, so that asking stays cheap.
        {"queues",
         {{"blob_removals", counts.blob_removals},
          {"webhooks_waiting", outbox.waiting},
          {"webhooks_failed", outbox.failed}}},
        {"sweeper_lag_seconds", call.services.sweeper_lag()},
        {"commits", commits.commits},
        {"commit_writes", commits.writes},
        {"now", to_rfc3339(call.services.clock.now())},
    };
    co_return json_response(200, answer);
}

Async<http::Response> advance_clock(Call call) {
    if (!call.services.advance_clock) {
        co_return fail(reasons::feature_not_available,
                       "time can be moved only on a server started with --test-clock");
    }
    CO_TRY(const json::object body, co_await read_object(call.request));
    CO_TRY(const std::int64_t seconds, integer_field(body, "advance_seconds"));
    if (seconds < 0 || seconds > advance_seconds_max) {
        co_return fail(reasons::invalid_parameter, "advance_seconds must be between 0 and " +
                                                       std::to_string(advance_seconds_max));
    }
    CO_CHECK(co_await call.services.advance_clock(std::chrono::seconds(seconds)));
    co_return json_response(200, json::object{{"now", to_rfc3339(call.services.clock.now())}});
}

Async<http::Response> create_attachment(Call call) {
    CO_TRY(const json::object body, co_await read_object(call.request));
    CreateAttachment command;
    CO_TRY(command.filename, string_field(body, "filename"));
    CO_TRY(command.content_type, string_field(body, "content_type"));
    CO_TRY(command.size_bytes, integer_field(body, "size_bytes"));
    CO_TRY(const Partner partner, co_await call.services.partners.partner(call.subject));
    CO_TRY(const Attachment made,
           co_await call.services.attachments.create(partner.id, std::move(command)));
    const json::object answer{
        {"attachment_id", made.id.str()},
        {"upload_url", call.services.urls.upload_url(made)},
        {"download_url", call.services.urls.url_of(made, call.services.clock.now())},
        {"http_method", "PUT"},
        {"expires_at", to_rfc3339_seconds(made.upload_expires_at)},
        {"required_headers",
         {{"Content-Type", made.content_type},
          {"Content-Length", std::to_string(made.size_bytes)}}},
    };
    co_return json_response(200, answer);
}

}  // namespace satchel::admin
