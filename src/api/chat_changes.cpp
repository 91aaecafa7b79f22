#include "api/chat_changes.hpp"

#include "api/message_content.hpp"
#include "api/message_json.hpp"
#include "api/parse.hpp"
#include "base/limits.hpp"
#include "model/message_rules.hpp"

namespace satchel::api {
namespace {

namespace json = boost::json;

Result<ChatId> chat_of(const Call& call) {
    return parse_id<ChatId>(call.id, "chatId");
}

Result<ChatUpdate> parse_update(std::string_view text, bool allows_http) {
    TRY(const json::object body, parse_object(text));
    ChatUpdate update;
    TRY(update.name, optional_string(body, "display_name"));
    TRY(update.icon_url, optional_string(body, "group_chat_icon"));
    if (!update.name && !update.icon_url) {
        return fail(reasons::missing_required_field, "display_name or group_chat_icon is required");
    }
    if (update.name && count_characters(*update.name) > limits::chat_name_characters_max) {
        return fail(reasons::invalid_parameter,
                    "display_name must not have more than " +
                        std::to_string(limits::chat_name_characters_max) + " characters");
    }
    if (update.icon_url && !update.icon_url->empty()) {
        CHECK(check_media_url(*update.icon_url, allows_http));
    }
    return update;
}

Result<std::string> parse_participant(std::string_view text) {
    TRY(const json::object body, parse_object(text));
    TRY(std::string handle, required_string(body, "handle"));
    CHECK(check_handle(handle));
    return handle;
}

Async<http::Response> set_typing(Call call, webhook::Typing typing) {
    CO_TRY(const ChatId id, chat_of(call));
    CO_CHECK(co_await call.services.chats.set_typing(change_of(call), id, typing));
    co_return no_content();
}

}  // namespace

Async<http::Response> update_chat(Call call) {
    CO_TRY(const ChatId id, chat_of(call));
    CO_TRY(const std::string text, co_await read_json_body(call.request));
    CO_TRY(ChatUpdate update, parse_update(text, call.services.allows_http_media));
    CO_CHECK(co_await call.services.chats.update(change_of(call), id, std::move(update)));
    co_return json_answer(200, {{"chat_id", id.str()}, {"status", "accepted"}});
}

Async<http::Response> mark_chat_read(Call call) {
    CO_TRY(const ChatId id, chat_of(call));
    CO_CHECK(co_await call.services.chats.mark_read(call.caller.partner, id));
    co_return no_content();
}

Async<http::Response> start_typing(Call call) {
    co_return co_await set_typing(call, webhook::Typing::started);
}

Async<http::Response> stop_typing(Call call) {
    co_return co_await set_typing(call, webhook::Typing::stopped);
}

Async<http::Response> add_participant(Call call) {
    CO_TRY(const ChatId id, chat_of(call));
    CO_TRY(const std::string text, co_await read_json_body(call.request));
    CO_TRY(std::string handle, parse_participant(text));
    CO_CHECK(co_await call.services.chats.add_participant(change_of(call), id, std::move(handle)));
    co_return accepted("Participant is being added", call.request.trace_id);
}

Async<http::Response> remove_participant(Call call) {
    CO_TRY(const ChatId id, chat_of(call));
    CO_TRY(const std::string text, co_await read_json_body(call.request));
    CO_TRY(std::string handle, parse_participant(text));
    CO_CHECK(
        co_await call.services.chats.remove_participant(change_of(call), id, std::move(handle)));
    co_return accepted("Participant is being removed", call.request.trace_id);
}

Async<http::Response> leave_chat(Call call) {
    CO_TRY(const ChatId id, chat_of(call));
    CO_CHECK(co_await call.services.chats.leave(change_of(call), id));
    co_return accepted("The chat is being left", call.request.trace_id);
}

Async<http::Response> share_contact_card(Call call) {
    CO_TRY(const ChatId id, chat_of(call));
    CO_CHECK(co_await call.services.chats.share_contact_card(call.caller.partner, id));
    co_return no_content();
}

}  // namespace satchel::api
