#include "webhook/chat_events.hpp"

#include "webhook/payload_json.hpp"

#include <boost/json/serialize.hpp>

namespace satchel::webhook {
namespace {

namespace json = boost::json;

Event about_chat(const Chat& chat,
                 std::string_view type,
                 const json::object& data,
                 Time at,
                 std::string_view trace_id) {
    Event event;
    event.type = type;
    event.partner = chat.partner;
    event.phone_number = chat.line;
    event.at = at;
    event.trace_id = trace_id;
    event.order_key = chat.id.str();
    event.data_2026_02_03 = json::serialize(data);
    event.data_2025_01_01 = event.data_2026_02_03;
    return event;
}

json::value text_or_null(const std::optional<std::string>& text) {
    if (!text) return nullptr;
    return text_json(*text);
}

}  // namespace

Event participant_changed(const Chat& chat,
                          const ChatHandle& participant,
                          ParticipantChange change,
                          Time at,
                          std::string_view trace_id) {
    const bool is_added = change == ParticipantChange::added;
    json::object data{{"handle", text_json(participant.handle)},
                      {"participant", handle_json(participant)},
                      {"chat_id", chat.id.str()}};
    data[is_added ? "added_at" : "removed_at"] = time_json(at);
    return about_chat(chat, is_added ? "participant.added" : "participant.removed", data, at,
                      trace_id);
}

Event typing_changed(const Chat& chat, Typing typing, Time at, std::string_view trace_id) {
    return about_chat(chat,
                      typing == Typing::started ? "chat.typing_indicator.started"
                                                : "chat.typing_indicator.stopped",
                      {{"chat_id", chat.id.str()}}, at, trace_id);
}

Event group_updated(const Chat& chat,
                    const GroupUpdate& update,
                    Time at,
                    std::string_view trace_id) {
    const json::object data{{"chat_id", chat.id.str()},
                            {"updated_at", time_json(at)},
                            {"changed_by_handle", handle_json(chat.owner())},
                            {"old_value", text_or_null(update.old_value)},
                            {"new_value", text_or_null(update.new_value)}};
    return about_chat(
        chat,
        update.detail == GroupDetail::name ? "chat.group_name_updated" : "chat.group_icon_updated",
        data, at, trace_id);
}

}  // namespace satchel::webhook
