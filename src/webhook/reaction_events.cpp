#include "webhook/reaction_events.hpp"

#include "webhook/payload_json.hpp"

#include <boost/json/serialize.hpp>

namespace satchel::webhook {

namespace json = boost::json;

Event reaction_changed(const Chat& chat,
                       const Message& message,
                       const Reaction& reaction,
                       ReactionChange change,
                       std::string_view trace_id) {
    json::value emoji = nullptr;
    if (!reaction.custom_emoji.empty()) emoji = text_json(reaction.custom_emoji);
    const json::object data{{"is_from_me", reaction.who.is_me},
                            {"reaction_type", text_json(to_string(reaction.type))},
                            {"chat_id", chat.id.str()},
                            {"message_id", message.id.str()},
                            {"part_index", reaction.part_index},
                            {"from", text_json(reaction.who.handle)},
                            {"from_handle", handle_json(reaction.who)},
                            {"custom_emoji", std::move(emoji)},
                            {"sticker", nullptr},
                            {"reacted_at", time_json(reaction.reacted_at)},
                            {"service", text_json(to_string(message.service))}};
    Event event;
    event.type = change == ReactionChange::added ? "reaction.added" : "reaction.removed";
    event.partner = chat.partner;
    event.phone_number = chat.line;
    event.at = reaction.reacted_at;
    event.trace_id = trace_id;
    event.order_key = chat.id.str();
    event.message = message.id;
    event.expires_at = message.expires_at;
    event.data_2026_02_03 = json::serialize(data);
    event.data_2025_01_01 = event.data_2026_02_03;
    return event;
}

}  // namespace satchel::webhook
