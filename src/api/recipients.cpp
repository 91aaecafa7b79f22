#include "api/recipients.hpp"

#include "api/message_content.hpp"
#include "api/message_json.hpp"
#include "api/parse.hpp"
#include "base/limits.hpp"
#include "model/message_rules.hpp"
#include "service/partner_service.hpp"

#include <boost/json/array.hpp>

namespace satchel::api {
namespace {

namespace json = boost::json;

json::object blocked_json(const meta::BlockedHandle& blocked) {
    json::object out{{"handle", json_text(blocked.handle)},
                     {"blocked_at", to_rfc3339(blocked.blocked_at)}};
    if (!blocked.reason.empty()) out["reason"] = json_text(blocked.reason);
    return out;
}

Result<std::string> required_handle(const json::object& body, std::string_view name) {
    TRY(std::string handle, required_string(body, name));
    CHECK(check_handle(handle));
    return handle;
}

Async<http::Response> check_capability(Call call, Service service) {
    CO_TRY(const std::string text, co_await read_json_body(call.request));
    CO_TRY(const json::object body, parse_object(text));
    CO_TRY(std::string address, required_handle(body, "address"));
    CO_TRY(auto from, optional_string(body, "from"));
    if (from && !is_e164(*from)) co_return fail(reasons::invalid_phone_number);
    if (service == Service::rcs && address.find('@') != std::string::npos) {
        co_return fail(reasons::invalid_parameter, "RCS reaches phone numbers only");
    }
    CO_TRY(const bool is_available, co_await call.services.recipients.can_reach(
                                        call.caller.partner, address, std::move(from), service));
    json::object answer{{"address", json_text(address)}, {"available", is_available}};
    if (is_available) {
        answer["selected_service"] = json_text(to_string(service));
    } else {
        answer["reason"] = "not_supported";
    }
    co_return json_answer(200, answer);
}

}  // namespace

Async<http::Response> list_blocked_handles(Call call) {
    CO_TRY(const auto found, co_await call.services.recipients.blocked(call.caller.partner));
    json::array out;
    for (const meta::BlockedHandle& each : found) out.push_back(blocked_json(each));
    co_return json_answer(200, {{"blocked_handles", std::move(out)}});
}

Async<http::Response> block_handle(Call call) {
    CO_TRY(const std::string text, co_await read_json_body(call.request));
    CO_TRY(const json::object body, parse_object(text));
    CO_TRY(std::string handle, required_handle(body, "handle"));
    CO_TRY(auto reason, optional_string(body, "reason"));
    if (reason && count_characters(*reason) > limits::block_reason_characters_max) {
        co_return fail(reasons::invalid_parameter,
                       "reason must not have more than " +
                           std::to_string(limits::block_reason_characters_max) + " characters");
    }
    CO_TRY(const meta::BlockedHandle blocked,
           co_await call.services.recipients.block(call.caller.partner, std::move(handle),
                                                   std::move(reason).value_or("")));
    co_return json_answer(200, {{"blocked_handle", blocked_json(blocked)}});
}

Async<http::Response> unblock_handle(Call call) {
    CO_TRY(const std::string text, co_await read_json_body(call.request));
    CO_TRY(const json::object body, parse_object(text));
    CO_TRY(std::string handle, required_handle(body, "handle"));
    CO_CHECK(co_await call.services.recipients.unblock(call.caller.partner, std::move(handle)));
    co_return no_content();
}

Async<http::Response> check_imessage(Call call) {
    co_return co_await check_capability(call, Service::imessage);
}

Async<http::Response> check_rcs(Call call) {
    co_return co_await check_capability(call, Service::rcs);
}

}  // namespace satchel::api
