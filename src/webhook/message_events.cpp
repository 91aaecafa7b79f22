#include "webhook/message_events.hpp"

#include "webhook/payload_json.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace satchel::webhook {
namespace {

namespace json = boost::json;

template <class T>
json::value text_or_null(const std::optional<T>& value) {
    if (!value) return nullptr;
    if constexpr (std::is_same_v<T, Service>) {
        return text_json(to_string(*value));
    } else {
        return text_json(*value);
    }
}

// Which of the message's times an event tells: message.sent knows of no delivery, whenever it
// is rendered.
struct Times {
    std::optional<Time> sent_at;
    std::optional<Time> delivered_at;
    std::optional<Time> read_at;
};

Times times_of(const MessageEvent& event) {
    const Message& message = event.message;
    Times times{.sent_at = message.sent_at.value_or(message.created_at)};
    if (event.kind == MessageEventKind::delivered || event.kind == MessageEventKind::read) {
        times.delivered_at = message.delivered_at.value_or(event.at);
    }
    if (event.kind == MessageEventKind::read) times.read_at = message.read_at.value_or(event.at);
    return times;
}

json::object chat_json(const Chat& chat) {
    return {{"id", chat.id.str()},
            {"health_status", health_json(chat)},
            {"is_group", chat.is_group},
            {"owner_handle", handle_json(chat.owner())}};
}

json::object data_2026(const MessageEvent& event, const Times& times) {
    const Message& message = event.message;
    return {{"id", message.id.str()},
            {"chat", chat_json(event.chat)},
            {"direction", text_json(to_string(message.direction))},
            {"sender_handle", handle_json(message.sender)},
            {"service", text_json(to_string(message.service))},
            {"parts", parts_json(message.parts)},
            {"effect", effect_json(message.effect)},
            {"reply_to", reply_to_json(message.reply_to)},
            {"idempotency_key", text_or_null(message.idempotency_key)},
            {"preferred_service", text_or_null(message.preferred_service)},
            {"sent_at", time_json(times.sent_at)},
            {"delivered_at", time_json(times.delivered_at)},
            {"read_at", time_json(times.read_at)}};
}

json::object message_2025(const MessageEvent& event, const Times& times) {
    const Message& message = event.message;
    return {{"id", message.id.str()},
            {"created_at", time_json(message.created_at)},
            {"updated_at", time_json(message.updated_at)},
            {"sent_at", time_json(times.sent_at)},
            {"delivered_at", time_json(times.delivered_at)},
            {"read_at", time_json(times.read_at)},
            {"is_delivered", times.delivered_at.has_value()},
            {"is_read", times.read_at.has_value()},
            {"parts", parts_json(message.parts)},
            {"effect", effect_json(message.effect)},
            {"reply_to", reply_to_json(message.reply_to)}};
}

json::object data_2025(const MessageEvent& event, const Times& times) {
    const Message& message = event.message;
    const bool is_inbound = message.direction == Direction::inbound;
    json::object data{{"chat_id", event.chat.id.str()},
                      {"is_group", event.chat.is_group},
                      {"service", text_json(to_string(message.service))},
                      {"from", text_json(message.sender.handle)},
                      {"from_handle", handle_json(message.sender)},
                      {"is_from_me", message.is_from_me()},
                      {"idempotency_key", text_or_null(message.idempotency_key)},
                      {"preferred_service", text_or_null(message.preferred_service)},
                      {"received_at", nullptr},
                      {"recipient_handle", nullptr},
                      {"recipient_phone", nullptr},
                      {"message", message_2025(event, times)}};
    if (is_inbound) {
        data["received_at"] = time_json(times.sent_at);
        data["recipient_handle"] = handle_json(event.chat.owner());
    }
    if (event.kind == MessageEventKind::delivered || event.kind == MessageEventKind::read) {
        data["message_id"] = message.id.str();
    }
    if (event.kind == MessageEventKind::delivered) {
        data["delivered_at"] = time_json(times.delivered_at);
    }
    if (event.kind == MessageEventKind::read) data["read_at"] = time_json(times.read_at);
    return data;
}

json::object failed_data(const MessageEvent& event) {
    const Message& message = event.message;
    json::object data{{"code", event.failure_code},
                      {"failed_at", time_json(event.at)},
                      {"chat_id", event.chat.id.str()},
                      {"message_id", message.id.str()},
                      {"detail_code", nullptr},
                      {"preferred_service", text_or_null(message.preferred_service)},
                      {"service", text_json(to_string(message.service))}};
    if (!event.failure_reason.empty()) data["reason"] = text_json(event.failure_reason);
    return data;
}

// The first moment at which something that the event describes must not be found any more.
std::optional<Time> expiry_of(const Message& message) {
    std::optional<Time> first = message.expires_at;
    const auto consider = [&first](const std::optional<Media>& media) {
        if (!media || !media->expires_at) return;
        first = std::min(first.value_or(*media->expires_at), *media->expires_at);
    };
    for (const Part& part : message.parts) {
        if (const auto* file = std::get_if<MediaPart>(&part)) consider(file->media);
        if (const auto* card = std::get_if<AppCardPart>(&part)) consider(card->image);
    }
    return first;
}

Event about_chat(const Chat& chat, std::string_view type, Time at, std::string_view trace_id) {
    Event event;
    event.type = type;
    event.partner = chat.partner;
    event.phone_number = chat.line;
    event.at = at;
    event.trace_id = trace_id;
    event.order_key = chat.id.str();
    return event;
}

}  // namespace

Event message_event(const MessageEvent& event, std::string_view trace_id) {
    Event out = about_chat(event.chat, event_type(event.kind), event.at, trace_id);
    out.message = event.message.id;
    out.expires_at = expiry_of(event.message);
    if (event.kind == MessageEventKind::failed) {
        out.data_2026_02_03 = json::serialize(failed_data(event));
        out.data_2025_01_01 = out.data_2026_02_03;
        return out;
    }
    for (const Part& part : event.message.parts) {
        const auto* const media = std::get_if<MediaPart>(&part);
        if (media != nullptr && media->media) out.attachments.push_back(media->media->id);
    }
    const Times times = times_of(event);
    out.data_2026_02_03 = json::serialize(data_2026(event, times));
    out.data_2025_01_01 = json::serialize(data_2025(event, times));
    return out;
}

Event message_edited(const Chat& chat,
                     const Message& message,
                     std::uint32_t part_index,
                     Time at,
                     std::string_view trace_id) {
    ASSERT(part_index < message.parts.size());
    const auto* const part = std::get_if<TextPart>(&message.parts[part_index]);
    ASSERT(part != nullptr);
    Event out = about_chat(chat, "message.edited", at, trace_id);
    out.message = message.id;
    out.expires_at = message.expires_at;
    out.data_2026_02_03 = json::serialize(json::object{
        {"id", message.id.str()},
        {"chat", chat_json(chat)},
        {"direction", text_json(to_string(message.direction))},
        {"edited_at", time_json(at)},
        {"part", json::object{{"index", part_index}, {"text", text_json(part->value)}}},
        {"sender_handle", handle_json(message.sender)}});
    return out;
}

Event chat_created(const Chat& chat, std::string_view trace_id) {
    json::array handles;
    for (const ChatHandle& handle : chat.handles) handles.push_back(handle_json(handle));
    json::object data{{"id", chat.id.str()},
                      {"display_name", text_json(chat.display_name)},
                      {"handles", std::move(handles)},
                      {"health_status", health_json(chat)},
                      {"is_group", chat.is_group},
                      {"service", text_json(to_string(chat.service))},
                      {"group_chat_icon", nullptr},
                      {"created_at", time_json(chat.created_at)},
                      {"updated_at", time_json(chat.updated_at)}};
    if (!chat.icon_url.empty()) data["group_chat_icon"] = text_json(chat.icon_url);
    Event out = about_chat(chat, "chat.created", chat.created_at, trace_id);
    out.data_2026_02_03 = json::serialize(data);
    out.data_2025_01_01 = out.data_2026_02_03;
    return out;
}

}  // namespace satchel::webhook
