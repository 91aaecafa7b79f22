#include "api/message_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace satchel::api {
namespace {

namespace json = boost::json;

json::value time_or_null(const std::optional<Time>& time) {
    if (!time) return nullptr;
    return json::string(to_rfc3339(*time));
}

json::value service_or_null(const std::optional<Service>& service) {
    if (!service) return nullptr;
    return json::string(json_text(to_string(*service)));
}

json::value decorations_json(const TextPart& part) {
    if (part.decorations.empty()) return nullptr;
    json::array out;
    for (const TextDecoration& each : part.decorations) {
        json::object decoration{{"range", json::array{each.begin, each.end}}};
        if (!each.style.empty()) decoration["style"] = each.style;
        if (!each.animation.empty()) decoration["animation"] = each.animation;
        out.push_back(std::move(decoration));
    }
    return out;
}

json::value mention_json(const TextPart& part) {
    if (part.mention.empty()) return nullptr;
    return json::string(json_text(part.mention));
}

json::value mention_range_json(const TextPart& part) {
    if (!part.mention_range) return nullptr;
    return json::array{part.mention_range->begin, part.mention_range->end};
}

json::object part_json(const TextPart& part) {
    return {{"type", "text"},
            {"value", json_text(part.value)},
            {"text_decorations", decorations_json(part)},
            {"mention", mention_json(part)},
            {"mention_range", mention_range_json(part)}};
}

json::object part_json(const MediaPart& part) {
    if (!part.media) {
        return {{"type", "media"},     {"id", nullptr},        {"url", nullptr},
                {"filename", nullptr}, {"mime_type", nullptr}, {"size_bytes", nullptr}};
    }
    const Media& media = *part.media;
    return {{"type", "media"},
            {"id", media.id.str()},
            {"url", json_text(media.url)},
            {"filename", json_text(media.filename)},
            {"mime_type", json_text(media.mime_type)},
            {"size_bytes", media.size_bytes}};
}

json::object part_json(const LinkPart& part) {
    return {{"type", "link"}, {"value", json_text(part.value)}};
}

json::object part_json(const AppCardPart& part) {
    const AppCard& card = part.card;
    json::object app{{"bundle_id", json_text(card.bundle_id)},
                     {"name", json_text(card.app_name)},
                     {"team_id", json_text(card.team_id)}};
    if (card.app_store_id) app["app_store_id"] = *card.app_store_id;
    json::object layout;
    for (const CardText& text : card.texts) layout[json_text(text.name)] = json_text(text.value);
    if (part.image) layout["image_url"] = json_text(part.image->url);
    return {{"type", "imessage_app"},
            {"app", std::move(app)},
            {"layout", std::move(layout)},
            {"url", json_text(card.url)},
            {"fallback_text", nullable(card.fallback_text)}};
}

// Null if there are none.
json::value reactions_json(const Message& message, std::size_t part_index) {
    json::array out;
    for (const Reaction& reaction : message.reactions) {
        if (reaction.part_index != part_index) continue;
        json::value emoji = nullptr;
        if (!reaction.custom_emoji.empty()) emoji = json_text(reaction.custom_emoji);
        out.push_back(json::object{{"handle", chat_handle_json(reaction.who)},
                                   {"is_me", reaction.who.is_me},
                                   {"type", json_text(to_string(reaction.type))},
                                   {"custom_emoji", std::move(emoji)},
                                   {"sticker", nullptr}});
    }
    if (out.empty()) return nullptr;
    return out;
}

json::array parts_json(const Message& message) {
    json::array out;
    for (std::size_t i = 0; i < message.parts.size(); ++i) {
        json::object part =
            std::visit([](const auto& each) { return part_json(each); }, message.parts[i]);
        part["reactions"] = reactions_json(message, i);
        out.push_back(std::move(part));
    }
    return out;
}

json::value effect_json(const Message& message) {
    if (!message.effect) return nullptr;
    return json::object{{"type", json_text(to_string(message.effect->type))},
                        {"name", json_text(message.effect->name)}};
}

json::value reply_json(const Message& message) {
    if (!message.reply_to) return nullptr;
    return json::object{{"message_id", message.reply_to->message.str()},
                        {"part_index", message.reply_to->part_index}};
}

bool is_read(const Message& message) {
    return message.status == DeliveryStatus::read || message.read_at.has_value();
}

}  // namespace

json::string_view json_text(std::string_view text) {
    return {text.data(), text.size()};
}

json::value nullable(const std::optional<std::string>& text) {
    if (!text) return nullptr;
    return json::string(json_text(*text));
}

http::Response json_answer(int status, const json::object& body) {
    http::Response response;
    response.status = status;
    response.with("Content-Type", "application/json");
    response.body = json::serialize(body);
    return response;
}

http::Response accepted(std::string_view message, std::string_view trace_id) {
    return json_answer(202, {{"status", "accepted"},
                             {"message", json_text(message)},
                             {"trace_id", json_text(trace_id)}});
}

http::Response no_content() {
    http::Response response;
    response.status = 204;
    return response;
}

json::object chat_handle_json(const ChatHandle& handle) {
    return {{"id", handle.id.str()},
            {"handle", json_text(handle.handle)},
            {"service", json_text(to_string(handle.service))},
            {"status", json_text(to_string(handle.status))},
            {"is_me", handle.is_me},
            {"joined_at", to_rfc3339(handle.joined_at)},
            {"left_at", time_or_null(handle.left_at)}};
}

json::object chat_health_json(const Chat& chat) {
    return {{"status", json_text(to_string(chat.health))},
            {"doc_url", json_text(chat_health_doc_url)},
            {"updated_at", to_rfc3339(chat.health_updated_at)}};
}

json::object chat_json(const Chat& chat) {
    json::array handles;
    for (const ChatHandle& handle : chat.handles) handles.push_back(chat_handle_json(handle));
    json::value icon = nullptr;
    if (!chat.icon_url.empty()) icon = json::string(json_text(chat.icon_url));
    return {{"id", chat.id.str()},
            {"display_name", json_text(chat.display_name)},
            {"service", json_text(to_string(chat.service))},
            {"handles", std::move(handles)},
            {"health_status", chat_health_json(chat)},
            {"is_archived", false},
            {"is_group", chat.is_group},
            {"group_chat_icon", std::move(icon)},
            {"created_at", to_rfc3339(chat.created_at)},
            {"updated_at", to_rfc3339(chat.updated_at)}};
}

json::object message_json(const Message& message) {
    return {{"id", message.id.str()},
            {"chat_id", message.chat.str()},
            {"created_at", to_rfc3339(message.created_at)},
            {"updated_at", to_rfc3339(message.updated_at)},
            {"delivery_status", json_text(to_string(message.status))},
            {"is_delivered", message.delivered_at.has_value()},
            {"is_read", is_read(message)},
            {"is_from_me", message.is_from_me()},
            {"from", json_text(message.sender.handle)},
            {"from_handle", chat_handle_json(message.sender)},
            {"parts", parts_json(message)},
            {"effect", effect_json(message)},
            {"reply_to", reply_json(message)},
            {"preferred_service", service_or_null(message.preferred_service)},
            {"service", json_text(to_string(message.service))},
            {"sent_at", time_or_null(message.sent_at)},
            {"delivered_at", time_or_null(message.delivered_at)},
            {"read_at", time_or_null(message.read_at)}};
}

json::object sent_message_json(const Message& message) {
    return {{"id", message.id.str()},
            {"created_at", to_rfc3339(message.created_at)},
            {"delivery_status", json_text(to_string(message.status))},
            {"is_read", is_read(message)},
            {"parts", parts_json(message)},
            {"sent_at", time_or_null(message.sent_at)},
            {"delivered_at", time_or_null(message.delivered_at)},
            {"effect", effect_json(message)},
            {"from_handle", chat_handle_json(message.sender)},
            {"preferred_service", service_or_null(message.preferred_service)},
            {"reply_to", reply_json(message)},
            {"service", json_text(to_string(message.service))}};
}

}  // namespace satchel::api
