#include "admin/erasures.hpp"

#include "admin/render.hpp"
#include "base/rfc3339.hpp"
#include "model/api_errors.hpp"
#include "model/message_rules.hpp"
#include "service/erasure_service.hpp"

#include <boost/json.hpp>

namespace satchel::admin {
namespace {

namespace json = boost::json;

constexpr auto call_time_max = std::chrono::seconds(1);

Result<bool> dry_run_field(const json::object& body) {
    const json::value* const value = body.if_contains("dry_run");
    if (value == nullptr) return false;
    if (!value->is_bool()) return fail(reasons::invalid_request_body, "dry_run must be a boolean");
    return value->get_bool();
}

Result<ErasureRequest> parse_request(const json::object& body, PartnerId partner) {
    ErasureRequest request;
    request.partner = partner;
    if (body.contains("handle")) {
        TRY(request.handle, string_field(body, "handle"));
        CHECK(check_handle(request.handle));
    }
    if (body.contains("before")) {
        TRY(const std::string text, string_field(body, "before"));
        request.before = parse_rfc3339(text);
        if (!request.before) {
            return fail(reasons::invalid_parameter,
                        "before must be a time such as 2026-01-02T03:04:05Z");
        }
    }
    TRY(const bool is_dry, dry_run_field(body));
    request.dry_run = is_dry ? DryRun::yes : DryRun::no;
    return request;
}

Result<ErasurePosition> parse_position(const json::object& body) {
    if (!body.contains("position")) return ErasurePosition{};
    TRY(const std::string text, string_field(body, "position"));
    const auto position = ErasurePosition::parse(text);
    if (!position) {
        return fail(reasons::invalid_parameter, "position must be one that was answered");
    }
    return *position;
}

json::object render(const ErasureCounts& counts) {
    return {{"attachments", counts.attachments},
            {"messages", counts.messages},
            {"reactions", counts.reactions},
            {"chats", counts.chats},
            {"participants", counts.participants},
            {"events", counts.events},
            {"waiting_messages", counts.waiting_messages},
            {"contact_cards", counts.contact_cards},
            {"blocked_handles", counts.blocked_handles},
            {"idempotency_keys", counts.idempotency_keys}};
}

}  // namespace

Async<http::Response> erase(Call call) {
    CO_TRY(const json::object body, co_await read_object(call.request));
    CO_TRY(std::string name, string_field(body, "partner_id"));
    CO_TRY(const Partner partner, co_await call.services.partners.partner(std::move(name)));
    CO_TRY(ErasureRequest request, parse_request(body, partner.id));
    CO_TRY(const ErasurePosition begin, parse_position(body));
    ErasureCounts counts;
    CO_TRY(const ErasurePosition reached,
           co_await call.services.erasures.go_on(std::move(request), begin, call_time_max, counts));
    const bool is_done = reached.phase == ErasurePosition::Phase::done;
    json::object answer{{"erased", render(counts)}, {"done", is_done}, {"position", nullptr}};
    if (!is_done) answer["position"] = reached.str();
    co_return json_response(200, answer);
}

}  // namespace satchel::admin
