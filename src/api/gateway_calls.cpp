#include "api/gateway_calls.hpp"

#include "api/error_response.hpp"
#include "api/message_content.hpp"
#include "api/message_json.hpp"
#include "api/parse.hpp"
#include "base/limits.hpp"
#include "base/rfc3339.hpp"
#include "gateway/gateway.hpp"
#include "model/message_rules.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace satchel::api {
namespace {

namespace json = boost::json;

bool is_signed(const BridgeService& bridge, const http::Request& request, std::string_view body) {
    const auto id = request.header("webhook-id");
    const auto timestamp = request.header("webhook-timestamp");
    const auto signatures = request.header("webhook-signature");
    const auto seconds = parse_u64(timestamp.value_or(""));
    if (!id || !signatures || !seconds || *seconds > INT64_MAX) return false;
    const crypto::WebhookMessage message{
        .id = *id, .unix_seconds = static_cast<std::int64_t>(*seconds), .body = body};
    return bridge.is_genuine(message, *signatures);
}

Result<std::optional<Time>> optional_time(const json::object& object, std::string_view name) {
    TRY(const auto text, optional_string(object, name));
    if (!text) return std::optional<Time>{};
    const auto time = parse_rfc3339(*text);
    if (time) return time;
    return fail(reasons::invalid_parameter,
                std::string(name) + " must be a time such as 2026-01-02T03:04:05Z");
}

Result<std::uint16_t> failure_code_in(const json::object& object) {
    const json::value* code = object.if_contains("code");
    if (code == nullptr || code->is_null()) return gateway::code_delivery_failed;
    if (code->is_int64() && gateway::is_failure_code(code->get_int64())) {
        return static_cast<std::uint16_t>(code->get_int64());
    }
    return fail(reasons::invalid_parameter,
                "code must be 3007, 4001, 4002, 4005, 4006, 4007 or 4008");
}

Result<StatusReport> parse_report(const json::object& object) {
    StatusReport report;
    TRY(const std::string id, required_string(object, "message_id"));
    TRY(report.message, parse_id<MessageId>(id, "message_id"));
    TRY(const std::string word, required_string(object, "status"));
    static constexpr std::array known{DeliveryStatus::sent, DeliveryStatus::delivered,
                                      DeliveryStatus::read, DeliveryStatus::failed};
    const auto status = parse_delivery_status(word);
    if (!status || std::ranges::find(known, *status) == known.end()) {
        return fail(reasons::invalid_parameter, "status must be sent, delivered, read or failed");
    }
    report.status = *status;
    TRY(report.at, optional_time(object, "at"));
    if (report.status != DeliveryStatus::failed) return report;
    TRY(report.failure_code, failure_code_in(object));
    TRY(const auto reason, optional_string(object, "reason"));
    report.failure_reason = reason.value_or("Delivery failed");
    return report;
}

Result<CarriedFile> parse_file(const json::object& object) {
    CarriedFile file;
    TRY(file.url, required_string(object, "url"));
    const bool is_http = file.url.starts_with("https://") || file.url.starts_with("http://");
    if (!is_http || file.url.size() > limits::outbound_url_bytes_max) {
        return fail(reasons::invalid_parameter,
                    "url must begin with https:// or http:// and have at most " +
                        std::to_string(limits::outbound_url_bytes_max) + " bytes");
    }
    TRY(auto filename, optional_string(object, "filename"));
    TRY(auto content_type, optional_string(object, "content_type"));
    file.filename = std::move(filename).value_or("");
    file.content_type = std::move(content_type).value_or("");
    return file;
}

Result<CarriedPart> parse_carried_part(const json::value& value) {
    if (!value.is_object()) {
        return fail(reasons::invalid_request_body, "A part must be an object");
    }
    const json::object& object = value.get_object();
    TRY(const std::string type, required_string(object, "type"));
    if (type == "media") return parse_file(object);
    if (type != "text") {
        return fail(reasons::invalid_message_content, "A part's type must be text or media");
    }
    TextPart part;
    TRY(part.value, required_string(object, "value"));
    CHECK(check_text(part));
    return part;
}

Result<> parse_carried_parts(const json::object& object, CarriedMessage& message) {
    const json::value* parts = object.if_contains("parts");
    if (parts == nullptr || parts->is_null()) {
        return fail(reasons::missing_required_field, "parts is required");
    }
    if (!parts->is_array()) return fail(reasons::invalid_request_body, "parts must be an array");
    const std::size_t count = parts->get_array().size();
    if (count < 1 || count > limits::message_parts_max) {
        return fail(reasons::invalid_message_content,
                    "parts must have between 1 and " + std::to_string(limits::message_parts_max) +
                        " members");
    }
    for (const json::value& each : parts->get_array()) {
        TRY(message.parts.emplace_back(), parse_carried_part(each));
    }
    return {};
}

Result<> parse_people(const json::object& object, CarriedMessage& message) {
    TRY(message.line, required_string(object, "line"));
    TRY(message.from, required_string(object, "from"));
    CHECK(check_handle(message.from));
    if (message.from == message.line) {
        return fail(reasons::invalid_parameter, "from must not be the line itself");
    }
    TRY(auto others, optional_strings(object, "others"));
    message.others = std::move(others).value_or(std::vector<std::string>{});
    if (message.others.size() >= limits::recipients_max) {
        return fail(
            reasons::invalid_parameter,
            "others must have at most " + std::to_string(limits::recipients_max - 1) + " members");
    }
    for (const std::string& other : message.others) CHECK(check_handle(other));
    return {};
}

Result<CarriedMessage> parse_carried_message(const json::object& object) {
    CarriedMessage message;
    TRY(message.bridge_id, required_string(object, "id"));
    const std::size_t characters = count_characters(message.bridge_id);
    if (characters < 1 || characters > limits::gateway_id_characters_max) {
        return fail(reasons::invalid_parameter,
                    "id must have between 1 and " +
                        std::to_string(limits::gateway_id_characters_max) + " characters");
    }
    CHECK(parse_people(object, message));
    CHECK(parse_carried_parts(object, message));
    TRY(const auto service, optional_string(object, "service"));
    if (service) {
        const auto known = parse_service(*service);
        if (!known) return fail(reasons::invalid_parameter, "service must be iMessage, SMS or RCS");
        message.service = *known;
    }
    TRY(const auto at, optional_time(object, "at"));
    message.sent_at = at.value_or(Time::max());  // The service knows no later time than now.
    return message;
}

Async<http::Response> report_status(BridgeService& bridge, std::string_view body) {
    CO_TRY(const json::object object, parse_object(body));
    CO_TRY(StatusReport report, parse_report(object));
    const std::string id = report.message.str();
    CO_TRY(const DeliveryStatus status, co_await bridge.report(std::move(report)));
    co_return json_answer(200,
                          {{"message_id", id}, {"delivery_status", json_text(to_string(status))}});
}

Async<http::Response> take_in_message(BridgeService& bridge, std::string_view body) {
    CO_TRY(const json::object object, parse_object(body));
    CO_TRY(CarriedMessage message, parse_carried_message(object));
    CO_TRY(const MessageId id, co_await bridge.take_in(std::move(message)));
    co_return json_answer(202, {{"message_id", id.str()}});
}

struct GatewayRoute {
    std::string_view path;  // Below gateway_path_prefix.
    std::string_view name;  // For logs and metrics.
    Async<http::Response> (*action)(BridgeService& bridge, std::string_view body);
};
constexpr std::array gateway_routes{
    GatewayRoute{"statuses", "gateway_statuses", report_status},
    GatewayRoute{"inbound", "gateway_inbound", take_in_message},
};

}  // namespace

Async<http::Response> call_gateway(Services& services,
                                   http::Request& request,
                                   std::string_view rest) {
    const auto route = std::ranges::find(gateway_routes, rest, &GatewayRoute::path);
    if (services.bridge == nullptr || route == gateway_routes.end()) {
        co_return fail(reasons::resource_not_found);
    }
    request.route = route->name;
    if (request.method != http::Method::post)
        co_return method_not_allowed("POST", request.trace_id);
    CO_TRY(const std::string body,
           co_await read_json_body(request, limits::gateway_body_bytes_max));
    if (!is_signed(*services.bridge, request, body)) {
        co_return fail(reasons::unauthorized, "Unauthorized - missing or invalid signature");
    }
    co_return co_await route->action(*services.bridge, body);
}

}  // namespace satchel::api
