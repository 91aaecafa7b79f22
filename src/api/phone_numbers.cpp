#include "api/phone_numbers.hpp"

#include "api/message_json.hpp"
#include "service/line_ids.hpp"

#include <boost/json/array.hpp>

namespace satchel::api {
namespace {

namespace json = boost::json;

constexpr std::string_view reputation_doc_url =
    "https://docs.linqapp.com/guides/phone-numbers/reputation";

}  // namespace

Async<http::Response> list_phone_numbers(Call call) {
    CO_TRY(const auto lines, co_await call.services.messages.lines(call.caller.partner));
    json::array numbers;
    for (const std::string& line : lines) {
        const json::object health{{"status", "HEALTHY"},
                                  {"doc_url", json_text(reputation_doc_url)}};
        numbers.push_back(json::object{{"id", line_id(call.caller.partner, line).str()},
                                       {"phone_number", json_text(line)},
                                       {"reputation", health},
                                       {"health_status", health},
                                       {"forwarding_number", nullptr}});
    }
    co_return json_answer(200, {{"phone_numbers", std::move(numbers)}});
}

Async<http::Response> list_phonenumbers(Call call) {
    CO_TRY(const auto lines, co_await call.services.messages.lines(call.caller.partner));
    json::array numbers;
    for (const std::string& line : lines) {
        // One digit says little about the others.
        json::value country = nullptr;
        if (line.starts_with("+1")) country = "US";
        numbers.push_back(json::object{
            {"id", line_id(call.caller.partner, line).str()},
            {"phone_number", json_text(line)},
            {"capabilities", json::object{{"sms", true}, {"mms", true}, {"voice", false}}},
            {"country_code", std::move(country)},
            {"type", nullptr}});
    }
    co_return json_answer(200, {{"phone_numbers", std::move(numbers)}});
}

}  // namespace satchel::api
