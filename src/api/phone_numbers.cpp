#include "api/phone_numbers.hpp"

#include "api/message_content.hpp"
#include "api/message_json.hpp"
#include "api/parse.hpp"
#include "api/query.hpp"
#include "model/message_rules.hpp"
#include "service/partner_service.hpp"

#include <boost/json/array.hpp>

namespace satchel::api {
namespace {

namespace json = boost::json;

constexpr std::string_view reputation_doc_url =
    "https://docs.linqapp.com/guides/phone-numbers/reputation";

}  // namespace

Async<http::Response> list_phone_numbers(Call call) {
    CO_TRY(const auto lines, co_await call.services.lines.lines(call.caller.partner));
    json::array numbers;
    for (const PhoneLine& line : lines) {
        const json::object health{{"status", "HEALTHY"},
                                  {"doc_url", json_text(reputation_doc_url)}};
        numbers.push_back(json::object{{"id", line.id.str()},
                                       {"phone_number", json_text(line.number)},
                                       {"reputation", health},
                                       {"health_status", health},
                                       {"forwarding_number", nullable(line.forwarding_number)}});
    }
    co_return json_answer(200, {{"phone_numbers", std::move(numbers)}});
}

Async<http::Response> list_phonenumbers(Call call) {
    CO_TRY(const auto lines, co_await call.services.lines.lines(call.caller.partner));
    json::array numbers;
    for (const PhoneLine& line : lines) {
        // One digit says little about the others.
        json::value country = nullptr;
        if (line.number.starts_with("+1")) country = "US";
        numbers.push_back(json::object{
            {"id", line.id.str()},
            {"phone_number", json_text(line.number)},
            {"capabilities", json::object{{"sms", true}, {"mms", true}, {"voice", false}}},
            {"country_code", std::move(country)},
            {"type", nullptr}});
    }
    co_return json_answer(200, {{"phone_numbers", std::move(numbers)}});
}

Async<http::Response> update_phone_number(Call call) {
    const auto id = Uuid::parse(call.id);
    if (!id) co_return fail(reasons::invalid_parameter, "phoneNumberId must be a UUID");
    CO_TRY(const std::string text, co_await read_json_body(call.request));
    CO_TRY(const json::object body, parse_object(text));
    if (!body.contains("forwarding_number")) {
        co_return fail(reasons::missing_required_field, "forwarding_number is required");
    }
    CO_TRY(auto number, optional_string(body, "forwarding_number"));
    if (number && number->empty()) number.reset();
    if (number && !is_e164(*number)) co_return fail(reasons::invalid_phone_number);
    CO_TRY(const PhoneLine line, co_await call.services.lines.set_forwarding_number(
                                     call.caller.partner, *id, std::move(number)));
    co_return json_answer(200, {{"id", line.id.str()},
                                {"phone_number", json_text(line.number)},
                                {"forwarding_number", nullable(line.forwarding_number)}});
}

Async<http::Response> get_available_number(Call call) {
    CO_TRY(auto to, query_handles(call.request.query, "to"));
    for (const std::string& handle : to) CO_CHECK(check_handle(handle));
    CO_TRY(auto excluded, query_handles(call.request.query, "exclude_from"));
    const PartnerId partner = call.caller.partner;
    CO_TRY(const std::string line,
           co_await call.services.lines.available(partner, std::move(to), std::move(excluded)));
    const std::string url = call.services.urls.vcard_url(partner, line, call.services.clock.now());
    co_return json_answer(200, {{"phone_number", json_text(line)}, {"vcf_url", json_text(url)}});
}

}  // namespace satchel::api
