#include "api/chats.hpp"

#include "api/message_content.hpp"
#include "api/message_json.hpp"
#include "api/parse.hpp"
#include "api/query.hpp"
#include "base/limits.hpp"
#include "model/message_rules.hpp"
#include "service/partner_service.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace satchel::api {
namespace {

namespace json = boost::json;

struct NewChat {
    std::string from;
    std::vector<std::string> to;
    MessageContent content;
    bool overrides_opt_out = false;
};

Result<NewChat> parse_new_chat(std::string_view text, const Call& call) {
    TRY(const json::object body, parse_object(text));
    NewChat chat;
    TRY(chat.from, required_string(body, "from"));
    TRY(chat.to, required_recipients(body));
    if (!is_e164(chat.from)) return fail(reasons::invalid_phone_number);
    if (std::ranges::find(chat.to, chat.from) != chat.to.end()) {
        return fail(reasons::invalid_parameter, "to must not contain from");
    }
    TRY(chat.content, required_content(body, call));
    TRY(chat.overrides_opt_out, optional_bool(body, "override_optout"));
    return chat;
}

}  // namespace

Async<http::Response> create_chat(Call call) {
    CO_TRY(const std::string text,
           co_await read_json_body(call.request, limits::message_body_bytes_max));
    CO_TRY(NewChat chat, parse_new_chat(text, call));
    CO_TRY(const Sent sent, co_await call.services.messages.send_from(
                                send_context(call, chat.overrides_opt_out), std::move(chat.from),
                                std::move(chat.to), std::move(chat.content)));
    json::array handles;
    for (const ChatHandle& handle : sent.chat.handles) handles.push_back(chat_handle_json(handle));
    co_return json_answer(
        201, {{"chat", json::object{{"id", sent.chat.id.str()},
                                    {"display_name", json_text(sent.chat.display_name)},
                                    {"is_group", sent.chat.is_group},
                                    {"service", json_text(to_string(sent.chat.service))},
                                    {"handles", std::move(handles)},
                                    {"health_status", chat_health_json(sent.chat)},
                                    {"message", sent_message_json(sent.message)}}}});
}

Async<http::Response> list_chats(Call call) {
    CO_TRY(PageRequest page,
           query_page(call.request.query, limits::chats_page_default, limits::chats_page_max));
    CO_TRY(const auto from, query_handles(call.request.query, "from"));
    meta::ChatFilter filter;
    filter.partner = call.caller.partner;
    CO_TRY(filter.participants, query_handles(call.request.query, "to"));
    for (const std::string& participant : filter.participants) CO_CHECK(check_handle(participant));
    if (!from.empty()) filter.line = from.front();
    if (!filter.line.empty() && !is_e164(filter.line)) {
        co_return fail(reasons::invalid_phone_number);
    }
    CO_TRY(const ChatPage found,
           co_await call.services.messages.chats(std::move(filter), std::move(page)));
    json::array chats;
    for (const Chat& chat : found.chats) chats.push_back(chat_json(chat));
    co_return json_answer(
        200, {{"chats", std::move(chats)}, {"next_cursor", nullable(found.next_cursor)}});
}

Async<http::Response> get_chat(Call call) {
    CO_TRY(const ChatId id, parse_id<ChatId>(call.id, "chatId"));
    CO_TRY(const Chat chat, co_await call.services.messages.chat(call.caller.partner, id));
    co_return json_answer(200, chat_json(chat));
}

}  // namespace satchel::api
