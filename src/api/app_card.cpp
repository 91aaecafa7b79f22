#include "api/app_card.hpp"

#include "api/message_content.hpp"
#include "api/parse.hpp"
#include "model/app_card.hpp"

namespace satchel::api {
namespace {

namespace json = boost::json;

Result<const json::object*> required_object(const json::object& object, std::string_view name) {
    TRY(const json::object* found, optional_object(object, name));
    if (found == nullptr) {
        return fail(reasons::missing_required_field, std::string(name) + " is required");
    }
    return found;
}

bool is_given(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains({name.data(), name.size()});
    return value != nullptr && !value->is_null();
}

Result<> parse_app(const json::object& app, AppCard& card) {
    TRY(card.bundle_id, required_string(app, "bundle_id"));
    TRY(card.app_name, required_string(app, "name"));
    TRY(card.team_id, required_string(app, "team_id"));
    if (is_given(app, "app_store_id")) {
        TRY(card.app_store_id, required_integer(app, "app_store_id"));
    }
    return {};
}

}  // namespace

Result<NewAppCard> parse_app_card(const json::object& part, bool allows_http) {
    NewAppCard out;
    AppCard& card = out.card;
    TRY(const json::object* app, required_object(part, "app"));
    CHECK(parse_app(*app, card));
    TRY(const json::object* layout, required_object(part, "layout"));
    for (const std::string_view name : card_text_names) {
        TRY(auto text, optional_string(*layout, name));
        if (text) card.texts.push_back({name, std::move(*text)});
    }
    TRY(auto image, optional_string(*layout, "image_url"));
    TRY(const auto url, optional_string(part, "url"));
    card.url = url.value_or("");
    TRY(card.fallback_text, optional_string(part, "fallback_text"));
    if (is_given(part, "interactive")) {
        TRY(card.is_interactive, optional_bool(part, "interactive"));
    }
    CHECK(check_app_card(card, image ? HasImage::yes : HasImage::no));
    if (image) {
        CHECK(check_media_url(*image, allows_http));
        out.image = MediaReference{{}, std::move(*image)};
    }
    return out;
}

}  // namespace satchel::api
