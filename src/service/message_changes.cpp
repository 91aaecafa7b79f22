#include "service/message_changes.hpp"

#include "base/limits.hpp"
#include "meta/ownership.hpp"
#include "meta/reactions.hpp"
#include "model/api_errors.hpp"
#include "service/line_to_line.hpp"
#include "service/message_rows.hpp"
#include "service/message_service.hpp"
#include "webhook/message_events.hpp"
#include "webhook/reaction_events.hpp"

#include <algorithm>

namespace satchel {
namespace {

Result<MessageView> require_message(
    meta::Session& session, PartnerId partner, MessageId id, std::uint32_t part_index, Time now) {
    TRY(auto message, meta::find_own_message(session, id, partner, now));
    if (!message) return fail(reasons::message_not_found);
    TRY(auto chat, meta::find_chat_by_seq(session, message->chat));
    if (!chat) return fail(Errc::corrupt, "a message's chat is missing");
    if (chat->left_at) return fail(reasons::chat_unavailable);
    if (part_index >= message->parts.size()) {
        return fail(reasons::invalid_parameter, "part_index: the message has no such part");
    }
    return MessageView{std::move(*message), std::move(*chat)};
}

Result<> check_edit(const meta::MessageRow& message, const TextEdit& edit, Time now) {
    const auto refuse = [](std::string why) {
        return fail(reasons::state_conflict, std::move(why));
    };
    if (message.direction == Direction::inbound) {
        return refuse("Only messages that you sent can be edited");
    }
    if (!std::holds_alternative<TextPart>(message.parts[edit.part_index])) {
        return refuse("Only text parts can be edited");
    }
    if (message.status == DeliveryStatus::failed) return refuse("The message was never sent");
    if (message.edits >= limits::message_edits_max) {
        return refuse("A message can be edited " + std::to_string(limits::message_edits_max) +
                      " times at most");
    }
    if (now - message.sent_at.value_or(message.created_at) > limits::message_edit_window) {
        return refuse("A message can be edited within 15 minutes after it was sent");
    }
    return {};
}

// One view of the message.
Result<Message> store_edit(meta::Session& session,
                           MessageView& view,
                           const TextEdit& edit,
                           const MediaService& media,
                           Time now,
                           std::string_view trace_id) {
    view.message.parts[edit.part_index] = TextPart{edit.text, {}};
    ++view.message.edits;
    view.message.updated_at = now;
    CHECK(meta::update_parts(session, view.message));
    TRY(Message message, message_of(session, view.message, view.chat.chat, media));
    CHECK(webhook::enqueue(
        session, webhook::message_edited(view.chat.chat, message, edit.part_index, now, trace_id)));
    return message;
}

bool is_text(const meta::MessageRow& message, std::uint32_t part_index) {
    return part_index < message.parts.size() &&
           std::holds_alternative<TextPart>(message.parts[part_index]);
}

Result<> tell(meta::Session& session,
              const MessageView& view,
              const meta::ReactionRow& row,
              webhook::ReactionChange change,
              std::string_view trace_id) {
    TRY(const Reaction reaction, reaction_of(row, view.chat.chat));
    return webhook::enqueue(session, webhook::reaction_changed(
                                         view.chat.chat, bare_message(view.message, view.chat.chat),
                                         reaction, change, trace_id));
}

// One view of the message, in which `from` is one of the participants.
Result<> store_reaction(meta::Session& session,
                        const MessageView& view,
                        std::string_view from,
                        const ReactionChange& wanted,
                        Time now,
                        std::string_view trace_id) {
    const auto& handles = view.chat.chat.handles;
    const auto sender = std::ranges::find(handles, from, &ChatHandle::handle);
    if (sender == handles.end() || wanted.part_index >= view.message.parts.size()) return {};
    meta::ReactionRow row;
    row.part_index = wanted.part_index;
    row.sender = static_cast<int>(sender - handles.begin());
    row.type = wanted.type;
    row.custom_emoji = wanted.custom_emoji;
    row.reacted_at = now;
    TRY(auto former, meta::find_reaction(session, view.message, row.part_index, row.sender));
    const bool is_there =
        former && former->type == row.type && former->custom_emoji == row.custom_emoji;
    const bool adds = wanted.operation == ReactionChange::Operation::add;
    if (is_there == adds) return {};
    if (former && (is_there || adds)) {
        former->reacted_at = now;
        CHECK(meta::remove_reaction(session, view.message, *former));
        CHECK(tell(session, view, *former, webhook::ReactionChange::removed, trace_id));
    }
    if (!adds) return {};
    CHECK(meta::store_reaction(session, view.message, row));
    return tell(session, view, row, webhook::ReactionChange::added, trace_id);
}

}  // namespace

Async<Message> MessageChanges::edit(Change change, MessageId id, TextEdit edit) {
    auto write = [this, change = std::move(change), id, edit = std::move(edit),
                  now = parts_.clock.now()](meta::Session& session) -> Result<Message> {
        TRY(auto view, require_message(session, change.partner, id, edit.part_index, now));
        CHECK(check_edit(view.message, edit, now));
        TRY(auto others, other_views(session, view.message, view.chat.chat, now));
        for (MessageView& other : others) {
            // A copy lacks the parts that were deleted before it was made.
            if (!is_text(other.message, edit.part_index)) continue;
            TRY([[maybe_unused]] const Message copy,
                store_edit(session, other, edit, parts_.media, now, change.trace_id));
        }
        return store_edit(session, view, edit, parts_.media, now, change.trace_id);
    };
    co_return co_await parts_.database.write(std::move(write));
}

Async<> MessageChanges::react(Change change, MessageId id, ReactionChange reaction) {
    auto write = [change = std::move(change), id, reaction = std::move(reaction),
                  now = parts_.clock.now()](meta::Session& session) -> Result<> {
        TRY(const auto view,
            require_message(session, change.partner, id, reaction.part_index, now));
        const std::string& from = view.chat.chat.line;
        CHECK(store_reaction(session, view, from, reaction, now, change.trace_id));
        TRY(const auto others, other_views(session, view.message, view.chat.chat, now));
        for (const MessageView& other : others) {
            CHECK(store_reaction(session, other, from, reaction, now, change.trace_id));
        }
        return {};
    };
    co_return co_await parts_.database.write(std::move(write));
}

}  // namespace satchel
