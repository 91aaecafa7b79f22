#include "api/webhooks.hpp"

#include "api/parse.hpp"
#include "model/api_errors.hpp"

#include <boost/json.hpp>

namespace satchel::api {
namespace {

namespace json = boost::json;

constexpr std::string_view events_doc_url = "https://docs.linqapp.com/guides/webhooks/events";

http::Response json_response(int status, const json::object& body) {
    http::Response response;
    response.status = status;
    response.with("Content-Type", "application/json");
    response.body = json::serialize(body);
    return response;
}

json::array texts(const std::vector<std::string>& words) {
    json::array out;
    for (const std::string& word : words) out.push_back(json::string(word));
    return out;
}

json::object render(const WebhookSubscription& subscription) {
    json::object out{
        {"id", subscription.id.str()},
        {"target_url", subscription.target_url},
        {"subscribed_events", texts(subscription.events)},
        {"phone_numbers", nullptr},
        {"is_active", subscription.is_active},
        {"created_at", to_rfc3339(subscription.created_at)},
        {"updated_at", to_rfc3339(subscription.updated_at)},
    };
    if (!subscription.phone_numbers.empty()) {
        out["phone_numbers"] = texts(subscription.phone_numbers);
    }
    return out;
}

Result<std::vector<std::string>> strings_in(const json::value& value, std::string_view name) {
    const auto wrong = [name] {
        return fail(reasons::invalid_request_body,
                    std::string(name) + " must be an array of strings");
    };
    if (!value.is_array()) return wrong();
    std::vector<std::string> out;
    for (const json::value& each : value.get_array()) {
        if (!each.is_string()) return wrong();
        out.emplace_back(each.get_string());
    }
    return out;
}

// An id that is no UUID is one that nobody has: the contract does not say that ids are UUIDs.
Result<SubscriptionId> subscription_id(const Call& call) {
    if (const auto id = SubscriptionId::parse(call.id)) return *id;
    return fail(reasons::subscription_not_found);
}

// Absent is nullopt; null and an empty array are the empty list: all lines.
Result<std::optional<std::vector<std::string>>> phone_numbers_in(const json::object& object) {
    const json::value* const value = object.if_contains("phone_numbers");
    if (value == nullptr) return std::optional<std::vector<std::string>>{};
    if (value->is_null()) return std::optional(std::vector<std::string>{});
    TRY(auto numbers, strings_in(*value, "phone_numbers"));
    return std::optional(std::move(numbers));
}

}  // namespace

Result<CreateSubscription> parse_create_subscription(std::string_view body) {
    TRY(const json::object object, parse_object(body));
    CreateSubscription command;
    TRY(command.target_url, required_string(object, "target_url"));
    const json::value* const events = object.if_contains("subscribed_events");
    if (events == nullptr || events->is_null()) {
        return fail(reasons::missing_required_field, "subscribed_events is required");
    }
    TRY(command.events, strings_in(*events, "subscribed_events"));
    TRY(auto numbers, phone_numbers_in(object));
    if (numbers) command.phone_numbers = *std::move(numbers);
    return command;
}

Result<UpdateSubscription> parse_update_subscription(std::string_view body) {
    TRY(const json::object object, parse_object(body));
    UpdateSubscription command;
    if (object.contains("target_url")) {
        TRY(command.target_url, required_string(object, "target_url"));
    }
    if (const json::value* const events = object.if_contains("subscribed_events")) {
        TRY(command.events, strings_in(*events, "subscribed_events"));
    }
    TRY(command.phone_numbers, phone_numbers_in(object));
    if (const json::value* const active = object.if_contains("is_active")) {
        if (!active->is_bool()) {
            return fail(reasons::invalid_request_body, "is_active must be a boolean");
        }
        command.is_active = active->get_bool();
    }
    return command;
}

Async<http::Response> create_subscription(Call call) {
    CO_TRY(const std::string body, co_await read_json_body(call.request));
    CO_TRY(CreateSubscription command, parse_create_subscription(body));
    CO_TRY(const NewSubscription made,
           co_await call.services.webhooks.create(call.caller.partner, std::move(command)));
    json::object answer = render(made.subscription);
    answer["signing_secret"] = made.secret;
    co_return json_response(201, answer);
}

Async<http::Response> list_subscriptions(Call call) {
    CO_TRY(const auto all, co_await call.services.webhooks.list(call.caller.partner));
    json::array subscriptions;
    for (const WebhookSubscription& each : all) subscriptions.push_back(render(each));
    co_return json_response(200, json::object{{"subscriptions", std::move(subscriptions)}});
}

Async<http::Response> get_subscription(Call call) {
    CO_TRY(const SubscriptionId id, subscription_id(call));
    CO_TRY(const auto found, co_await call.services.webhooks.find(call.caller.partner, id));
    co_return json_response(200, render(found));
}

Async<http::Response> update_subscription(Call call) {
    CO_TRY(const SubscriptionId id, subscription_id(call));
    CO_TRY(const std::string body, co_await read_json_body(call.request));
    CO_TRY(UpdateSubscription command, parse_update_subscription(body));
    CO_TRY(const auto updated,
           co_await call.services.webhooks.update(call.caller.partner, id, std::move(command)));
    co_return json_response(200, render(updated));
}

Async<http::Response> delete_subscription(Call call) {
    CO_TRY(const SubscriptionId id, subscription_id(call));
    CO_CHECK(co_await call.services.webhooks.remove(call.caller.partner, id));
    http::Response response;
    response.status = 204;
    co_return response;
}

Async<http::Response> list_webhook_events(Call /*call*/) {
    json::array events;
    for (const std::string_view type : webhook_event_types()) {
        events.push_back(json::string(type.data(), type.size()));
    }
    json::object answer{{"doc_url", json::string(events_doc_url.data(), events_doc_url.size())}};
    answer["events"] = std::move(events);
    co_return json_response(200, answer);
}

}  // namespace satchel::api
