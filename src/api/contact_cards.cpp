#include "api/contact_cards.hpp"

#include "api/message_content.hpp"
#include "api/message_json.hpp"
#include "api/parse.hpp"
#include "api/query.hpp"
#include "base/limits.hpp"
#include "model/message_rules.hpp"
#include "service/partner_service.hpp"

#include <boost/json/array.hpp>

namespace satchel::api {
namespace {

namespace json = boost::json;

json::object card_json(const ContactCard& card) {
    json::object out{{"phone_number", json_text(card.line)},
                     {"first_name", json_text(card.first_name)},
                     {"is_active", true}};
    if (!card.last_name.empty()) out["last_name"] = json_text(card.last_name);
    if (!card.image_url.empty()) out["image_url"] = json_text(card.image_url);
    return out;
}

Result<ContactCardUpdate> parse_update(const json::object& body, bool allows_http) {
    ContactCardUpdate update;
    TRY(update.first_name, optional_string(body, "first_name"));
    TRY(update.last_name, optional_string(body, "last_name"));
    TRY(update.image_url, optional_string(body, "image_url"));
    if (update.first_name && update.first_name->empty()) {
        return fail(reasons::invalid_parameter, "first_name must not be empty");
    }
    for (const auto& name : {update.first_name, update.last_name}) {
        if (name && count_characters(*name) > limits::contact_name_characters_max) {
            return fail(reasons::invalid_parameter,
                        "A name must not have more than " +
                            std::to_string(limits::contact_name_characters_max) + " characters");
        }
    }
    if (update.image_url && !update.image_url->empty()) {
        CHECK(check_media_url(*update.image_url, allows_http));
    }
    return update;
}

// The query's phone_number. reasons::invalid_phone_number.
Result<std::optional<std::string>> wanted_line(const Call& call) {
    TRY(const auto numbers, query_handles(call.request.query, "phone_number"));
    if (numbers.empty()) return std::optional<std::string>{};
    if (!is_e164(numbers.front())) return fail(reasons::invalid_phone_number);
    return std::optional<std::string>{numbers.front()};
}

}  // namespace

Async<http::Response> create_contact_card(Call call) {
    CO_TRY(const std::string text, co_await read_json_body(call.request));
    CO_TRY(const json::object body, parse_object(text));
    ContactCard card;
    CO_TRY(card.line, required_string(body, "phone_number"));
    CO_TRY(card.first_name, required_string(body, "first_name"));
    if (!is_e164(card.line)) co_return fail(reasons::invalid_phone_number);
    CO_TRY(ContactCardUpdate given, parse_update(body, call.services.allows_http_media));
    card.last_name = std::move(given.last_name).value_or("");
    card.image_url = std::move(given.image_url).value_or("");
    CO_TRY(const ContactCard made,
           co_await call.services.lines.create_card(call.caller.partner, std::move(card)));
    co_return json_answer(200, card_json(made));
}

Async<http::Response> list_contact_cards(Call call) {
    CO_TRY(const auto line, wanted_line(call));
    CO_TRY(const auto found, co_await call.services.lines.cards(call.caller.partner));
    json::array cards;
    for (const ContactCard& card : found) {
        if (!line || card.line == *line) cards.push_back(card_json(card));
    }
    co_return json_answer(200, {{"contact_cards", std::move(cards)}});
}

Async<http::Response> update_contact_card(Call call) {
    CO_TRY(auto line, wanted_line(call));
    if (!line) co_return fail(reasons::missing_required_field, "phone_number is required");
    CO_TRY(const std::string text, co_await read_json_body(call.request));
    CO_TRY(const json::object body, parse_object(text));
    CO_TRY(ContactCardUpdate update, parse_update(body, call.services.allows_http_media));
    CO_TRY(const ContactCard card, co_await call.services.lines.update_card(
                                       call.caller.partner, std::move(*line), std::move(update)));
    co_return json_answer(200, card_json(card));
}

}  // namespace satchel::api
