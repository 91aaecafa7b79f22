#include "gateway/message_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace satchel::gateway {
namespace {

namespace json = boost::json;

json::string text(std::string_view value) {
    return json::string(value.data(), value.size());
}

json::object part_json(const TextPart& part) {
    json::array decorations;
    for (const TextDecoration& each : part.decorations) {
        json::object decoration{{"range", json::array{each.begin, each.end}}};
        if (!each.style.empty()) decoration["style"] = text(each.style);
        if (!each.animation.empty()) decoration["animation"] = text(each.animation);
        decorations.push_back(std::move(decoration));
    }
    return {{"type", "text"},
            {"value", text(part.value)},
            {"text_decorations", std::move(decorations)}};
}

json::object part_json(const MediaPart& part) {
    if (!part.media) {
        return {{"type", "media"},     {"id", nullptr},        {"url", nullptr},
                {"filename", nullptr}, {"mime_type", nullptr}, {"size_bytes", nullptr}};
    }
    return {{"type", "media"},
            {"id", part.media->id.str()},
            {"url", text(part.media->url)},
            {"filename", text(part.media->filename)},
            {"mime_type", text(part.media->mime_type)},
            {"size_bytes", part.media->size_bytes}};
}

json::object part_json(const LinkPart& part) {
    return {{"type", "link"}, {"value", text(part.value)}};
}

json::object part_json(const AppCardPart& part) {
    const AppCard& card = part.card;
    json::object app{{"bundle_id", text(card.bundle_id)},
                     {"name", text(card.app_name)},
                     {"team_id", text(card.team_id)}};
    if (card.app_store_id) app["app_store_id"] = *card.app_store_id;
    json::object layout;
    for (const CardText& each : card.texts) {
        layout[json::string_view(each.name.data(), each.name.size())] = text(each.value);
    }
    if (part.image) layout["image_url"] = text(part.image->url);
    json::object out{{"type", "imessage_app"},      {"app", std::move(app)},
                     {"layout", std::move(layout)}, {"url", text(card.url)},
                     {"fallback_text", nullptr},    {"interactive", card.is_interactive}};
    if (card.fallback_text) out["fallback_text"] = text(*card.fallback_text);
    return out;
}

json::object chat_json(const Chat& chat) {
    json::array recipients;
    for (const std::string& recipient : chat.recipients()) recipients.push_back(text(recipient));
    return {{"id", chat.id.str()},
            {"is_group", chat.is_group},
            {"line", text(chat.line)},
            {"recipients", std::move(recipients)}};
}

}  // namespace

std::string message_json(const Chat& chat, const Message& message) {
    json::array parts;
    for (const Part& part : message.parts) {
        parts.push_back(std::visit([](const auto& each) { return part_json(each); }, part));
    }
    json::object out{{"type", "message"},
                     {"message_id", message.id.str()},
                     {"created_at", to_rfc3339(message.created_at)},
                     {"chat", chat_json(chat)},
                     {"parts", std::move(parts)},
                     {"effect", nullptr},
                     {"reply_to", nullptr},
                     {"preferred_service", nullptr}};
    if (message.effect) {
        out["effect"] = json::object{{"type", text(to_string(message.effect->type))},
                                     {"name", text(message.effect->name)}};
    }
    if (message.reply_to) {
        out["reply_to"] = json::object{{"message_id", message.reply_to->message.str()},
                                       {"part_index", message.reply_to->part_index}};
    }
    if (message.preferred_service) {
        out["preferred_service"] = text(to_string(*message.preferred_service));
    }
    return json::serialize(out);
}

}  // namespace satchel::gateway
