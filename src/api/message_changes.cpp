#include "api/message_changes.hpp"

#include "api/message_content.hpp"
#include "api/message_json.hpp"
#include "api/parse.hpp"
#include "base/limits.hpp"
#include "model/message_rules.hpp"

namespace satchel::api {
namespace {

namespace json = boost::json;

Result<std::uint32_t> part_index_in(const json::object& body) {
    const json::value* value = body.if_contains("part_index");
    if (value == nullptr || value->is_null()) return 0U;
    TRY(const std::int64_t index, required_integer(body, "part_index"));
    if (index < 0 || index > UINT32_MAX) {
        return fail(reasons::invalid_parameter, "part_index must not be negative");
    }
    return static_cast<std::uint32_t>(index);
}

Result<TextEdit> parse_edit(std::string_view text) {
    TRY(const json::object body, parse_object(text));
    TextEdit edit;
    TRY(edit.text, required_string(body, "text"));
    CHECK(check_text({edit.text, {}}));
    TRY(edit.part_index, part_index_in(body));
    return edit;
}

Result<std::string> parse_emoji(const json::object& body) {
    TRY(std::string emoji, required_string(body, "custom_emoji"));
    if (emoji.empty() || emoji.size() > limits::reaction_emoji_bytes_max) {
        return fail(reasons::invalid_parameter, "custom_emoji must be one emoji");
    }
    return emoji;
}

Result<ReactionChange> parse_reaction(std::string_view text) {
    TRY(const json::object body, parse_object(text));
    ReactionChange reaction;
    TRY(const std::string operation, required_string(body, "operation"));
    if (operation != "add" && operation != "remove") {
        return fail(reasons::invalid_parameter, "operation must be add or remove");
    }
    if (operation == "remove") reaction.operation = ReactionChange::Operation::remove;
    TRY(const std::string name, required_string(body, "type"));
    const auto type = parse_reaction_type(name);
    if (!type) {
        return fail(reasons::invalid_parameter,
                    "type must be love, like, dislike, laugh, emphasize, question or custom; a "
                    "sticker cannot be sent");
    }
    reaction.type = *type;
    if (*type == ReactionType::custom) {
        TRY(reaction.custom_emoji, parse_emoji(body));
    }
    TRY(reaction.part_index, part_index_in(body));
    return reaction;
}

}  // namespace

Async<http::Response> edit_message(Call call) {
    CO_TRY(const MessageId id, parse_id<MessageId>(call.id, "messageId"));
    CO_TRY(const std::string text, co_await read_json_body(call.request));
    CO_TRY(TextEdit edit, parse_edit(text));
    CO_TRY(const Message message,
           co_await call.services.message_changes.edit(change_of(call), id, std::move(edit)));
    co_return json_answer(200, message_json(message));
}

Async<http::Response> react_to_message(Call call) {
    CO_TRY(const MessageId id, parse_id<MessageId>(call.id, "messageId"));
    CO_TRY(const std::string text, co_await read_json_body(call.request));
    CO_TRY(ReactionChange reaction, parse_reaction(text));
    CO_CHECK(
        co_await call.services.message_changes.react(change_of(call), id, std::move(reaction)));
    co_return accepted("Reaction is being processed", call.request.trace_id);
}

}  // namespace satchel::api
