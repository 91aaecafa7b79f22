#include "webhook/payload_json.hpp"

namespace satchel::webhook {
namespace {

namespace json = boost::json;

json::object decoration_json(const TextDecoration& decoration) {
    json::object out{{"range", json::array{decoration.begin, decoration.end}}};
    if (!decoration.style.empty()) out["style"] = text_json(decoration.style);
    if (!decoration.animation.empty()) out["animation"] = text_json(decoration.animation);
    return out;
}

json::object part_json(const TextPart& part) {
    json::object out{{"type", "text"}, {"value", text_json(part.value)}};
    if (!part.decorations.empty()) {
        json::array decorations;
        for (const auto& each : part.decorations) decorations.push_back(decoration_json(each));
        out["text_decorations"] = std::move(decorations);
    }
    return out;
}

json::object part_json(const MediaPart& part) {
    if (!part.media) {
        return {{"type", "media"},     {"id", nullptr},        {"url", nullptr},
                {"filename", nullptr}, {"mime_type", nullptr}, {"size_bytes", nullptr}};
    }
    return {{"type", "media"},
            {"id", part.media->id.str()},
            {"url", text_json(part.media->url)},
            {"filename", text_json(part.media->filename)},
            {"mime_type", text_json(part.media->mime_type)},
            {"size_bytes", part.media->size_bytes}};
}

json::object part_json(const LinkPart& part) {
    return {{"type", "link"}, {"value", text_json(part.value)}};
}

// The layout without its image, which has no place in this event (contract section 5.5).
json::object part_json(const AppCardPart& part) {
    const AppCard& card = part.card;
    json::object app{{"bundle_id", text_json(card.bundle_id)},
                     {"name", text_json(card.app_name)},
                     {"team_id", text_json(card.team_id)}};
    if (card.app_store_id) app["app_store_id"] = *card.app_store_id;
    json::object layout;
    for (const CardText& text : card.texts) {
        if (text.name.starts_with("image_")) continue;
        layout[json::string_view(text.name.data(), text.name.size())] = text_json(text.value);
    }
    json::value fallback = nullptr;
    if (card.fallback_text) fallback = text_json(*card.fallback_text);
    return {{"type", "imessage_app"},
            {"app", std::move(app)},
            {"layout", std::move(layout)},
            {"url", text_json(card.url)},
            {"fallback_text", std::move(fallback)}};
}

}  // namespace

json::value text_json(std::string_view text) {
    return json::string(text.data(), text.size());
}

json::value time_json(Time time) {
    return text_json(to_rfc3339(time));
}

json::value time_json(const std::optional<Time>& time) {
    if (!time) return nullptr;
    return time_json(*time);
}

json::object handle_json(const ChatHandle& handle) {
    return {{"id", handle.id.str()},
            {"handle", text_json(handle.handle)},
            {"is_me", handle.is_me},
            {"service", text_json(to_string(handle.service))},
            {"status", text_json(to_string(handle.status))},
            {"joined_at", time_json(handle.joined_at)},
            {"left_at", time_json(handle.left_at)}};
}

json::object health_json(const Chat& chat) {
    return {{"status", text_json(to_string(chat.health))},
            {"doc_url", text_json(chat_health_doc_url)},
            {"updated_at", time_json(chat.health_updated_at)}};
}

json::array parts_json(const std::vector<Part>& parts) {
    json::array out;
    for (const Part& part : parts) {
        out.push_back(std::visit([](const auto& each) { return part_json(each); }, part));
    }
    return out;
}

json::value effect_json(const std::optional<Effect>& effect) {
    if (!effect) return nullptr;
    return json::object{{"type", text_json(to_string(effect->type))},
                        {"name", text_json(effect->name)}};
}

json::value reply_to_json(const std::optional<ReplyTo>& reply_to) {
    if (!reply_to) return nullptr;
    return json::object{{"message_id", reply_to->message.str()},
                        {"part_index", reply_to->part_index}};
}

}  // namespace satchel::webhook
