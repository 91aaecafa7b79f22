#include "api/message_content.hpp"

#include "api/app_card.hpp"
#include "api/parse.hpp"
#include "base/limits.hpp"
#include "model/message_rules.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace satchel::api {
namespace {

namespace json = boost::json;

const json::value* member(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains({name.data(), name.size()});
    return value == nullptr || value->is_null() ? nullptr : value;
}

std::unexpected<Error> wrong_type(std::string_view name, std::string_view type) {
    return fail(reasons::invalid_request_body, std::string(name) + " must be " + std::string(type));
}

std::unexpected<Error> bad_part(std::string message) {
    return fail(reasons::invalid_message_content, std::move(message));
}

Result<const json::array*> optional_array(const json::object& object, std::string_view name) {
    const json::value* value = member(object, name);
    if (value == nullptr) return nullptr;
    if (!value->is_array()) return wrong_type(name, "an array");
    return &value->get_array();
}

Result<std::uint32_t> range_end(const json::value& value, std::string_view name) {
    if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > UINT32_MAX) {
        return bad_part(std::string(name) + " has two whole numbers, start and end");
    }
    return static_cast<std::uint32_t>(value.get_int64());
}

Result<TextDecoration> parse_decoration(const json::value& value) {
    if (!value.is_object()) return wrong_type("A text decoration", "an object");
    const json::object& object = value.get_object();
    TRY(const json::array* range, optional_array(object, "range"));
    if (range == nullptr || range->size() != 2) {
        return bad_part("A text_decorations range has two whole numbers, start and end");
    }
    TextDecoration out;
    TRY(out.begin, range_end((*range)[0], "A text_decorations range"));
    TRY(out.end, range_end((*range)[1], "A text_decorations range"));
    TRY(const auto style, optional_string(object, "style"));
    TRY(const auto animation, optional_string(object, "animation"));
    out.style = style.value_or("");
    out.animation = animation.value_or("");
    return out;
}

// `mention` is a participant's handle; whether they take part is looked up later.
Result<> parse_mention(const json::object& object, TextPart& part) {
    TRY(const auto mention, optional_string(object, "mention"));
    part.mention = mention.value_or("");
    TRY(const json::array* range, optional_array(object, "mention_range"));
    if (range == nullptr) return {};
    if (range->size() != 2) {
        return bad_part("mention_range has two whole numbers, start and end");
    }
    part.mention_range.emplace();
    TRY(part.mention_range->begin, range_end((*range)[0], "mention_range"));
    TRY(part.mention_range->end, range_end((*range)[1], "mention_range"));
    return {};
}

Result<TextPart> parse_text(const json::object& object) {
    TextPart part;
    TRY(part.value, required_string(object, "value"));
    TRY(const json::array* decorations, optional_array(object, "text_decorations"));
    if (decorations != nullptr) {
        for (const json::value& each : *decorations) {
            TRY(part.decorations.emplace_back(), parse_decoration(each));
        }
    }
    CHECK(parse_mention(object, part));
    CHECK(check_text(part));
    return part;
}

Result<MediaReference> parse_media(const json::object& object, bool allows_http) {
    TRY(const auto id, optional_string(object, "attachment_id"));
    TRY(const auto url, optional_string(object, "url"));
    if (id.has_value() == url.has_value()) {
        return bad_part("A media part has exactly one of url and attachment_id");
    }
    MediaReference part;
    if (id) {
        TRY(part.attachment, parse_id<AttachmentId>(*id, "attachment_id"));
        return part;
    }
    CHECK(check_media_url(*url, allows_http));
    part.url = *url;
    return part;
}

Result<NewPart> parse_part(const json::value& value, bool allows_http) {
    if (!value.is_object()) return wrong_type("A part", "an object");
    const json::object& object = value.get_object();
    TRY(const std::string type, required_string(object, "type"));
    if (type == "text") return parse_text(object);
    if (type == "media") return parse_media(object, allows_http);
    if (type == "link") {
        LinkPart part;
        TRY(part.value, required_string(object, "value"));
        CHECK(check_link(part));
        return part;
    }
    if (type == "imessage_app") return parse_app_card(object, allows_http);
    if (type == "app_clip") return fail(reasons::feature_not_available);
    return bad_part("A part's type must be text, media, link or imessage_app");
}

Result<> check_parts(const std::vector<NewPart>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (std::holds_alternative<LinkPart>(parts[i]) && parts.size() > 1) {
            return bad_part("A link part must be the only part of its message");
        }
        if (std::holds_alternative<NewAppCard>(parts[i]) && parts.size() > 1) {
            return bad_part("An imessage_app part must be the only part of its message");
        }
        const bool is_text = std::holds_alternative<TextPart>(parts[i]);
        if (is_text && i > 0 && std::holds_alternative<TextPart>(parts[i - 1])) {
            return bad_part("Two text parts must not follow one another: join them");
        }
    }
    return {};
}

Result<> parse_parts(const json::object& message, MessageContent& content, bool allows_http) {
    TRY(const json::array* parts, optional_array(message, "parts"));
    if (parts == nullptr) {
        if (member(message, "experience") != nullptr) return fail(reasons::feature_not_available);
        return fail(reasons::missing_required_field, "parts is required");
    }
    if (parts->empty() || parts->size() > limits::message_parts_max) {
        return bad_part("parts must have between 1 and " +
                        std::to_string(limits::message_parts_max) + " members");
    }
    for (const json::value& value : *parts) {
        TRY(content.parts.emplace_back(), parse_part(value, allows_http));
    }
    return check_parts(content.parts);
}

Result<std::optional<std::string>> checked_key(std::optional<std::string> key) {
    if (!key) return key;
    const std::size_t characters = count_characters(*key);
    if (characters < 1 || characters > limits::idempotency_key_characters_max) {
        return fail(reasons::invalid_parameter,
                    "An idempotency key has between 1 and " +
                        std::to_string(limits::idempotency_key_characters_max) + " characters");
    }
    return key;
}

}  // namespace

Result<const json::object*> optional_object(const json::object& object, std::string_view name) {
    const json::value* value = member(object, name);
    if (value == nullptr) return nullptr;
    if (!value->is_object()) return wrong_type(name, "an object");
    return &value->get_object();
}

Result<std::optional<std::string>> optional_string(const json::object& object,
                                                   std::string_view name) {
    const json::value* value = member(object, name);
    if (value == nullptr) return std::optional<std::string>{};
    if (!value->is_string()) return wrong_type(name, "a string");
    return std::optional<std::string>{std::in_place, value->get_string().data(),
                                      value->get_string().size()};
}

Result<bool> optional_bool(const json::object& object, std::string_view name) {
    const json::value* value = member(object, name);
    if (value == nullptr) return false;
    if (!value->is_bool()) return wrong_type(name, "true or false");
    return value->get_bool();
}

Result<std::optional<std::vector<std::string>>> optional_strings(const json::object& object,
                                                                 std::string_view name) {
    TRY(const json::array* values, optional_array(object, name));
    if (values == nullptr) return std::optional<std::vector<std::string>>{};
    std::vector<std::string> out;
    for (const json::value& value : *values) {
        if (!value.is_string()) return wrong_type(name, "an array of strings");
        out.emplace_back(value.get_string().data(), value.get_string().size());
    }
    return std::optional<std::vector<std::string>>{std::move(out)};
}

Result<std::vector<std::string>> required_recipients(const json::object& body) {
    TRY(auto to, optional_strings(body, "to"));
    if (!to) return fail(reasons::missing_required_field, "to is required");
    return check_recipients(std::move(*to));
}

Result<> check_media_url(std::string_view url, bool allows_http) {
    const bool is_allowed =
        url.starts_with("https://") || (allows_http && url.starts_with("http://"));
    if (!is_allowed || count_characters(url) > limits::url_characters_max) {
        return fail(reasons::invalid_parameter, "url must begin with https:// and have at most " +
                                                    std::to_string(limits::url_characters_max) +
                                                    " characters");
    }
    return {};
}

Result<MessageContent> parse_message_content(const json::object& message, bool allows_http) {
    MessageContent content;
    CHECK(parse_parts(message, content, allows_http));
    TRY(const json::object* effect, optional_object(message, "effect"));
    if (effect != nullptr) {
        TRY(const std::string type, required_string(*effect, "type"));
        TRY(const std::string name, required_string(*effect, "name"));
        TRY(content.effect, make_effect(type, name));
    }
    TRY(const json::object* reply, optional_object(message, "reply_to"));
    if (reply != nullptr) {
        ReplyTo reply_to;
        TRY(const std::string id, required_string(*reply, "message_id"));
        TRY(reply_to.message, parse_id<MessageId>(id, "reply_to.message_id"));
        if (member(*reply, "part_index") != nullptr) {
            TRY(const std::int64_t index, required_integer(*reply, "part_index"));
            if (index < 0 || index > UINT32_MAX) {
                return fail(reasons::invalid_parameter, "reply_to.part_index must not be negative");
            }
            reply_to.part_index = static_cast<std::uint32_t>(index);
        }
        content.reply_to = reply_to;
    }
    TRY(const auto preferred, optional_string(message, "preferred_service"));
    if (preferred) {
        content.preferred_service = parse_service(*preferred);
        if (!content.preferred_service) {
            return fail(reasons::invalid_parameter,
                        "preferred_service must be iMessage, SMS or RCS");
        }
    }
    TRY(auto key, optional_string(message, "idempotency_key"));
    TRY(content.idempotency_key, checked_key(std::move(key)));
    return content;
}

Result<MessageContent> required_content(const json::object& body, const Call& call) {
    TRY(const json::object* message, optional_object(body, "message"));
    if (message == nullptr) return fail(reasons::missing_required_field, "message is required");
    TRY(auto content, parse_message_content(*message, call.services.allows_http_media));
    if (!content.idempotency_key) {
        TRY(content.idempotency_key, key_in_header(call));
    }
    return content;
}

Result<std::optional<std::string>> key_in_header(const Call& call) {
    std::optional<std::string> key;
    if (const auto header = call.request.header("idempotency-key")) key = *header;
    return checked_key(std::move(key));
}

SendContext send_context(const Call& call, bool overrides_opt_out) {
    SendContext context;
    context.caller = call.caller;
    context.trace_id = call.request.trace_id;
    context.overrides_opt_out = overrides_opt_out;
    return context;
}

Change change_of(const Call& call) {
    return {call.caller.partner, std::string(call.request.trace_id)};
}

}  // namespace satchel::api
