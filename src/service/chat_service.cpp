#include "service/chat_service.hpp"

#include "base/limits.hpp"
#include "meta/contact_cards.hpp"
#include "meta/messages.hpp"
#include "model/api_errors.hpp"
#include "service/line_to_line.hpp"
#include "service/message_rows.hpp"

#include <algorithm>

namespace satchel {
namespace {

Result<meta::ChatRow> require_group(meta::Session& session, PartnerId partner, ChatId id) {
    TRY(auto row, require_joined_chat(session, partner, id));
    if (!row.chat.is_group) return fail(reasons::cannot_update_dm);
    return row;
}

// With the line itself.
std::size_t active_members(const Chat& chat) {
    return chat.recipients().size() + 1;
}

Result<> check_addition(const Chat& chat, const std::string& handle) {
    if (handle == chat.line) {
        return fail(reasons::invalid_parameter, "handle must not be your own line");
    }
    const auto others = chat.recipients();
    if (std::ranges::find(others, handle) != others.end()) {
        return fail(reasons::state_conflict, "The handle takes part in this chat already");
    }
    if (active_members(chat) < limits::group_members_min) {
        return fail(reasons::state_conflict, "The group has too few participants left");
    }
    if (others.size() >= limits::recipients_max) {
        return fail(reasons::state_conflict, "The group must not have more than " +
                                                 std::to_string(limits::recipients_max) +
                                                 " recipients");
    }
    const bool was_here =
        std::ranges::find(chat.handles, handle, &ChatHandle::handle) != chat.handles.end();
    if (!was_here && chat.handles.size() >= limits::chat_handles_max) {
        return fail(reasons::state_conflict,
                    "The group has had too many participants. Begin another chat");
    }
    return {};
}

Result<> check_removal(const Chat& chat, const std::string& handle) {
    if (handle == chat.line) {
        return fail(reasons::invalid_parameter,
                    "handle must not be your own line: leave the chat instead");
    }
    const auto others = chat.recipients();
    if (std::ranges::find(others, handle) == others.end()) {
        return fail(reasons::state_conflict, "The handle does not take part in this chat");
    }
    if (active_members(chat) <= limits::group_members_min) {
        return fail(reasons::state_conflict, "A group must keep " +
                                                 std::to_string(limits::group_members_min) +
                                                 " participants, your line among them");
    }
    return {};
}

// The participant's place, at the end if it is a new one.
std::size_t place_of(Chat& chat, std::string_view handle, Time now) {
    const auto found = std::ranges::find(chat.handles, handle, &ChatHandle::handle);
    if (found != chat.handles.end()) {
        return static_cast<std::size_t>(found - chat.handles.begin());
    }
    chat.handles.push_back(ChatHandle{
        .id = HandleId::ordered(now), .handle = std::string(handle), .service = chat.service});
    return chat.handles.size() - 1;
}

// One view of the conversation.
Result<> store_presence(meta::Session& session,
                        meta::ChatRow& row,
                        std::string_view handle,
                        HandleStatus status,
                        Time now,
                        std::string_view trace_id) {
    const std::size_t place = place_of(row.chat, handle, now);
    ChatHandle& participant = row.chat.handles[place];
    const bool is_added = status == HandleStatus::active;
    participant.status = status;
    if (is_added) participant.joined_at = now;
    participant.left_at = is_added ? std::nullopt : std::optional(now);
    CHECK(meta::store_participant(session, row, place, now));
    if (participant.is_me && !is_added) CHECK(meta::set_chat_left(session, row, now));
    const auto change =
        is_added ? webhook::ParticipantChange::added : webhook::ParticipantChange::removed;
    return webhook::enqueue(
        session, webhook::participant_changed(row.chat, participant, change, now, trace_id));
}

Result<> set_name(meta::Session& session,
                  const Change& change,
                  meta::ChatRow& row,
                  const std::string& name,
                  Time now) {
    Chat& chat = row.chat;
    webhook::GroupUpdate update{.detail = webhook::GroupDetail::name};
    if (chat.is_named) update.old_value = chat.display_name;
    if (!name.empty()) update.new_value = name;
    if (update.old_value == update.new_value) return {};
    chat.is_named = !name.empty();
    chat.display_name = name;
    CHECK(meta::set_chat_name(session, row, now));
    return webhook::enqueue(session, webhook::group_updated(chat, update, now, change.trace_id));
}

}  // namespace

Async<> ChatService::update(Change change, ChatId id, ChatUpdate update) {
    auto look = [&](meta::Session& session) -> Result<> {
        TRY([[maybe_unused]] const auto group, require_group(session, change.partner, id));
        return {};
    };
    CO_CHECK(co_await parts_.database.read(look));
    std::optional<Picture> icon;
    if (update.icon_url && !update.icon_url->empty()) {
        CO_TRY(icon, co_await fetch_picture(parts_.media, change.partner, *update.icon_url));
    }
    auto write = [this, change, id, update, icon](meta::Session& session) {
        return write_update(session, change, id, update, icon);
    };
    auto written = co_await parts_.database.write(std::move(write));
    if (icon) {
        co_await settle_picture(parts_.media, *icon, written ? Kept::yes : Kept::no);
    }
    co_return written;
}

Result<> ChatService::write_update(meta::Session& session,
                                   const Change& change,
                                   ChatId id,
                                   const ChatUpdate& update,
                                   const std::optional<Picture>& icon) const {
    const Time now = parts_.clock.now();
    TRY(auto row, require_group(session, change.partner, id));
    if (update.name) CHECK(set_name(session, change, row, *update.name, now));
    if (update.icon_url) CHECK(set_icon(session, change, row, icon, now));
    return {};
}

Result<> ChatService::set_icon(meta::Session& session,
                               const Change& change,
                               meta::ChatRow& row,
                               const std::optional<Picture>& icon,
                               Time now) const {
    webhook::GroupUpdate update{.detail = webhook::GroupDetail::icon};
    if (row.icon) {
        TRY(const auto old_icon, parts_.media.find(session, {*row.icon, {}}));
        if (old_icon) update.old_value = old_icon->url;
    }
    const auto former = row.icon;
    row.icon.reset();
    if (icon) {
        TRY(const Media media, keep_picture(session, parts_.media, change.partner, *icon));
        row.icon = media.id;
        update.new_value = media.url;
    }
    if (update.old_value == update.new_value) return {};
    CHECK(meta::set_chat_icon(session, row, now));
    if (former) CHECK(meta::release_picture(session, *former, now));
    return webhook::enqueue(session,
                            webhook::group_updated(row.chat, update, now, change.trace_id));
}

Async<> ChatService::mark_read(PartnerId partner, ChatId id) {
    std::size_t marked = limits::read_batch_max;
    while (marked == limits::read_batch_max) {
        auto mark = [partner, id,
                     now = parts_.clock.now()](meta::Session& session) -> Result<std::size_t> {
            TRY(const auto row, require_joined_chat(session, partner, id));
            return meta::mark_read(session, row.seq, now, limits::read_batch_max);
        };
        CO_TRY(marked, co_await parts_.database.write(std::move(mark)));
    }
    co_return Result<>{};
}

Async<> ChatService::set_typing(Change change, ChatId id, webhook::Typing typing) {
    const Time now = parts_.clock.now();
    auto look = [&](meta::Session& session) -> Result<std::vector<meta::ChatRow>> {
        TRY(const auto row, require_joined_chat(session, change.partner, id));
        const bool is_felt = row.chat.service == Service::imessage &&
                             now - row.chat.updated_at <= limits::typing_window;
        if (!is_felt || parts_.joins_lines == JoinsLines::no) return std::vector<meta::ChatRow>();
        return other_views(session, row.chat);
    };
    CO_TRY(auto views, co_await parts_.database.read(look));
    if (views.empty()) co_return Result<>{};
    auto tell = [views = std::move(views), typing, now,
                 trace_id = std::move(change.trace_id)](meta::Session& session) -> Result<> {
        for (const meta::ChatRow& view : views) {
            CHECK(webhook::enqueue(session,
                                   webhook::typing_changed(view.chat, typing, now, trace_id)));
        }
        return {};
    };
    co_return co_await parts_.database.write(std::move(tell));
}

// In the chat itself and as the other lines see it.
Result<> ChatService::set_presence(meta::Session& session,
                                   const Change& change,
                                   meta::ChatRow row,
                                   std::string_view handle,
                                   HandleStatus status) const {
    const Time now = parts_.clock.now();
    std::vector<meta::ChatRow> views;
    if (parts_.joins_lines == JoinsLines::yes) {
        TRY(views, other_views(session, row.chat));
    }
    CHECK(store_presence(session, row, handle, status, now, change.trace_id));
    for (meta::ChatRow& view : views) {
        CHECK(store_presence(session, view, handle, status, now, change.trace_id));
    }
    return {};
}

Async<> ChatService::add_participant(Change change, ChatId id, std::string handle) {
    auto add = [this, change = std::move(change), id,
                handle = std::move(handle)](meta::Session& session) -> Result<> {
        TRY(auto row, require_group(session, change.partner, id));
        CHECK(check_addition(row.chat, handle));
        return set_presence(session, change, std::move(row), handle, HandleStatus::active);
    };
    co_return co_await parts_.database.write(std::move(add));
}

Async<> ChatService::remove_participant(Change change, ChatId id, std::string handle) {
    auto remove = [this, change = std::move(change), id,
                   handle = std::move(handle)](meta::Session& session) -> Result<> {
        TRY(auto row, require_group(session, change.partner, id));
        CHECK(check_removal(row.chat, handle));
        return set_presence(session, change, std::move(row), handle, HandleStatus::removed);
    };
    co_return co_await parts_.database.write(std::move(remove));
}

Async<> ChatService::leave(Change change, ChatId id) {
    auto leave = [this, change = std::move(change), id](meta::Session& session) -> Result<> {
        TRY(auto row, require_group(session, change.partner, id));
        if (row.chat.service != Service::imessage) return fail(reasons::not_on_this_service);
        if (active_members(row.chat) < limits::leavable_group_members_min) {
            return fail(reasons::state_conflict,
                        "Only a group with at least " +
                            std::to_string(limits::leavable_group_members_min) +
                            " participants, your line among them, can be left");
        }
        const std::string line = row.chat.line;
        return set_presence(session, change, std::move(row), line, HandleStatus::left);
    };
    co_return co_await parts_.database.write(std::move(leave));
}

Async<> ChatService::share_contact_card(PartnerId partner, ChatId id) {
    auto look = [partner, id](meta::Session& session) -> Result<> {
        TRY(const auto row, require_joined_chat(session, partner, id));
        TRY(const auto card, meta::find_contact_card(session, partner, row.chat.line));
        if (!card) return fail(reasons::contact_card_not_found);
        return {};
    };
    co_return co_await parts_.database.read(std::move(look));
}

}  // namespace satchel
