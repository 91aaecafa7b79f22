#include "admin/messages.hpp"

#include "admin/render.hpp"
#include "model/api_errors.hpp"
#include "model/message_rules.hpp"

#include <boost/json.hpp>

namespace satchel::admin {
namespace {

namespace json = boost::json;

// The strings in the list `name`; none if it is absent.
Result<std::vector<std::string>> string_list(const json::object& object, std::string_view name) {
    std::vector<std::string> out;
    const json::value* list = object.if_contains(name);
    if (list == nullptr || list->is_null()) return out;
    const auto refusal = [name] {
        return fail(reasons::invalid_request_body, std::string(name) + " must be a list of texts");
    };
    if (!list->is_array()) return refusal();
    for (const json::value& each : list->get_array()) {
        if (!each.is_string()) return refusal();
        out.emplace_back(each.get_string());
    }
    return out;
}

Result<MessageContent> parse_content(const json::object& body) {
    MessageContent content;
    if (body.contains("text")) {
        TextPart text;
        TRY(text.value, string_field(body, "text"));
        CHECK(check_text(text));
        content.parts.emplace_back(std::move(text));
    }
    TRY(const auto ids, string_list(body, "attachment_ids"));
    for (const std::string& id : ids) {
        const auto parsed = AttachmentId::parse(id);
        if (!parsed) return fail(reasons::invalid_parameter, "attachment_ids must be UUIDs");
        content.parts.emplace_back(MediaReference{*parsed, {}});
    }
    if (content.parts.empty()) {
        return fail(reasons::missing_required_field, "A message has a text or attachment_ids");
    }
    return content;
}

}  // namespace

Async<http::Response> send_message(Call call) {
    CO_TRY(const json::object body, co_await read_object(call.request));
    CO_TRY(const Partner partner, co_await call.services.partners.partner(call.subject));
    CO_TRY(auto listed, string_list(body, "to"));
    CO_TRY(auto to, check_recipients(std::move(listed)));
    CO_TRY(MessageContent content, parse_content(body));
    SendContext context;
    context.caller.partner = partner.id;
    context.trace_id = call.request.trace_id;
    auto& messages = call.services.messages;
    Result<Sent> sent;
    if (body.contains("from")) {
        CO_TRY(std::string from, string_field(body, "from"));
        sent = co_await messages.send_from(std::move(context), std::move(from), std::move(to),
                                           std::move(content));
    } else {
        sent = co_await messages.send_from_any(std::move(context), std::move(to), {},
                                               std::move(content));
    }
    if (!sent) co_return std::unexpected(std::move(sent).error());
    co_return json_response(201, json::object{{"message_id", sent->message.id.str()},
                                              {"chat_id", sent->chat.id.str()},
                                              {"from", sent->chat.line}});
}

}  // namespace satchel::admin
