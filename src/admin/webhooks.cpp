#include "admin/webhooks.hpp"

#include "admin/render.hpp"
#include "model/api_errors.hpp"

#include <boost/json.hpp>

namespace satchel::admin {
namespace {

namespace json = boost::json;

json::object render(const meta::FailedDelivery& delivery) {
    json::object out{{"event_id", delivery.event.str()},
                     {"event_type", delivery.event_type},
                     {"subscription_id", delivery.subscription.str()},
                     {"partner_id", delivery.partner.str()},
                     {"target_url", delivery.target_url},
                     {"attempts", delivery.attempts},
                     {"last_status", nullptr},
                     {"last_error", delivery.last_error},
                     {"created_at", to_rfc3339(delivery.created_at)},
                     {"failed_at", to_rfc3339(delivery.failed_at)}};
    if (delivery.last_status != 0) out["last_status"] = delivery.last_status;
    return out;
}

}  // namespace

Async<http::Response> list_failed_webhooks(Call call) {
    CO_TRY(const auto failed, co_await call.services.webhooks.failed());
    json::array all;
    for (const meta::FailedDelivery& each : failed) all.push_back(render(each));
    co_return json_response(200, json::object{{"failed", std::move(all)}});
}

Async<http::Response> replay_webhook(Call call) {
    const auto event = EventId::parse(call.subject);
    if (!event) {
        co_return fail(reasons::invalid_parameter,
                       "an event is named by its id, a UUID; satchel webhook list-failed shows "
                       "them");
    }
    CO_TRY(const std::size_t count, co_await call.services.webhooks.replay(*event));
    co_return json_response(200, json::object{{"replayed", count}});
}

Async<http::Response> replay_all_webhooks(Call call) {
    CO_TRY(const std::size_t count, co_await call.services.webhooks.replay_all());
    co_return json_response(200, json::object{{"replayed", count}});
}

}  // namespace satchel::admin
