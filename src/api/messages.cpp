#include "api/messages.hpp"

#include "api/message_content.hpp"
#include "api/message_json.hpp"
#include "api/parse.hpp"
#include "api/query.hpp"
#include "base/limits.hpp"
#include "model/message_rules.hpp"

#include <boost/json/array.hpp>

namespace satchel::api {
namespace {

namespace json = boost::json;

http::Response page_answer(const MessagePage& page) {
    json::array messages;
    for (const Message& message : page.messages) messages.push_back(message_json(message));
    return json_answer(
        200, {{"messages", std::move(messages)}, {"next_cursor", nullable(page.next_cursor)}});
}

json::array handles_json(const Chat& chat) {
    json::array out;
    for (const ChatHandle& handle : chat.handles) out.push_back(chat_handle_json(handle));
    return out;
}

Result<MediaReference> parse_voice_memo(const json::object& body, bool allows_http) {
    TRY(const auto id, optional_string(body, "attachment_id"));
    TRY(const auto url, optional_string(body, "voice_memo_url"));
    if (id.has_value() == url.has_value()) {
        return fail(reasons::invalid_message_content,
                    "Send exactly one of voice_memo_url and attachment_id");
    }
    MediaReference memo;
    if (id) {
        TRY(memo.attachment, parse_id<AttachmentId>(*id, "attachment_id"));
        return memo;
    }
    CHECK(check_media_url(*url, allows_http));
    memo.url = *url;
    return memo;
}

// continuation_message takes the place of a message whose chat is on a flagged line. Lines here
// are never flagged, so it is checked and not sent.
Result<> check_continuation(const json::object& body) {
    TRY(const json::object* continuation, optional_object(body, "continuation_message"));
    if (continuation == nullptr) return {};
    TRY(std::string text, required_string(*continuation, "text"));
    return check_text({std::move(text), {}});
}

json::object voice_memo_json(const Sent& sent) {
    json::array to;
    for (const std::string& recipient : sent.chat.recipients()) to.push_back(json_text(recipient));
    json::value memo = nullptr;
    const auto* part =
        sent.message.parts.empty() ? nullptr : std::get_if<MediaPart>(&sent.message.parts[0]);
    if (part != nullptr && part->media) {
        const Media& media = *part->media;
        memo = json::object{
            {"id", media.id.str()},
            {"url", json_text(media.url)},
            {"filename", json_text(media.filename)},
            {"mime_type", json_text(media.mime_type)},
            {"size_bytes", media.size_bytes},
            {"duration_ms", media.duration_ms ? json::value(*media.duration_ms) : json::value()}};
    }
    const json::string_view service = json_text(to_string(sent.message.service));
    return {{"id", sent.message.id.str()},
            {"from", json_text(sent.chat.line)},
            {"to", std::move(to)},
            {"status", "queued"},
            {"service", service},
            {"created_at", to_rfc3339(sent.message.created_at)},
            {"voice_memo", std::move(memo)},
            {"chat", json::object{{"id", sent.chat.id.str()},
                                  {"handles", handles_json(sent.chat)},
                                  {"is_group", sent.chat.is_group},
                                  {"is_active", true},
                                  {"service", service}}}};
}

}  // namespace

Async<http::Response> send_message(Call call) {
    CO_TRY(const ChatId chat, parse_id<ChatId>(call.id, "chatId"));
    CO_TRY(const std::string text,
           co_await read_json_body(call.request, limits::message_body_bytes_max));
    CO_TRY(const json::object body, parse_object(text));
    CO_TRY(MessageContent content, required_content(body, call));
    CO_TRY(const bool overrides, optional_bool(body, "override_optout"));
    CO_TRY(const Sent sent, co_await call.services.messages.send_to_chat(
                                send_context(call, overrides), chat, std::move(content)));
    co_return json_answer(
        202, {{"chat_id", sent.chat.id.str()}, {"message", sent_message_json(sent.message)}});
}

Async<http::Response> send_message_from_any(Call call) {
    CO_TRY(const std::string text,
           co_await read_json_body(call.request, limits::message_body_bytes_max));
    CO_TRY(const json::object body, parse_object(text));
    CO_TRY(auto to, required_recipients(body));
    CO_TRY(MessageContent content, required_content(body, call));
    CO_TRY(auto excluded, optional_strings(body, "exclude_from"));
    CO_CHECK(check_continuation(body));
    CO_TRY(const bool overrides, optional_bool(body, "override_optout"));
    CO_TRY(const Sent sent,
           co_await call.services.messages.send_from_any(
               send_context(call, overrides), std::move(to),
               std::move(excluded).value_or(std::vector<std::string>()), std::move(content)));
    const std::string_view reason = sent.is_new_chat ? "new_best_number" : "reused_active_chat";
    co_return json_answer(
        202, {{"chat_id", sent.chat.id.str()},
              {"created_new_chat", sent.is_new_chat},
              {"from", json_text(sent.chat.line)},
              {"from_selection", json::object{{"reason", json_text(reason)},
                                              {"reused_existing_chat", !sent.is_new_chat}}},
              {"handles", handles_json(sent.chat)},
              {"is_group", sent.chat.is_group},
              {"message", sent_message_json(sent.message)},
              {"service", json_text(to_string(sent.message.service))},
              {"previous_chat_id", nullptr}});
}

Async<http::Response> send_voice_memo(Call call) {
    CO_TRY(const ChatId chat, parse_id<ChatId>(call.id, "chatId"));
    CO_TRY(const std::string text, co_await read_json_body(call.request));
    CO_TRY(const json::object body, parse_object(text));
    CO_TRY(MediaReference memo, parse_voice_memo(body, call.services.allows_http_media));
    CO_TRY(const bool overrides, optional_bool(body, "override_optout"));
    MessageContent content;
    content.parts.emplace_back(std::move(memo));
    CO_TRY(content.idempotency_key, key_in_header(call));
    SendContext context = send_context(call, overrides);
    context.is_voice_memo = true;
    CO_TRY(const Sent sent, co_await call.services.messages.send_to_chat(std::move(context), chat,
                                                                         std::move(content)));
    co_return json_answer(202, {{"voice_memo", voice_memo_json(sent)}});
}

Async<http::Response> list_messages(Call call) {
    CO_TRY(const ChatId chat, parse_id<ChatId>(call.id, "chatId"));
    CO_TRY(PageRequest page, query_page(call.request.query, limits::messages_page_default,
                                        limits::messages_page_max));
    CO_TRY(const MessagePage found,
           co_await call.services.messages.messages(call.caller.partner, chat, std::move(page)));
    co_return page_answer(found);
}

Async<http::Response> get_message(Call call) {
    CO_TRY(const MessageId id, parse_id<MessageId>(call.id, "messageId"));
    CO_TRY(const Message message, co_await call.services.messages.message(call.caller.partner, id));
    co_return json_answer(200, message_json(message));
}

Async<http::Response> get_thread(Call call) {
    CO_TRY(const MessageId id, parse_id<MessageId>(call.id, "messageId"));
    CO_TRY(PageRequest page, query_page(call.request.query, limits::messages_page_default,
                                        limits::messages_page_max));
    CO_TRY(const auto order, query_value(call.request.query, "order"));
    if (order && *order != "asc" && *order != "desc") {
        co_return fail(reasons::invalid_parameter, "order must be asc or desc");
    }
    const auto direction = order == "desc" ? meta::Order::descending : meta::Order::ascending;
    CO_TRY(const MessagePage found, co_await call.services.messages.thread(
                                        call.caller.partner, id, direction, std::move(page)));
    co_return page_answer(found);
}

Async<http::Response> delete_message(Call call) {
    CO_TRY(const MessageId id, parse_id<MessageId>(call.id, "messageId"));
    CO_CHECK(co_await call.services.messages.remove(call.caller.partner, id));
    co_return no_content();
}

}  // namespace satchel::api
