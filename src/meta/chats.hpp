// Tables chats and chat_handles, and who may not be written to.
#pragma once

#include "meta/database.hpp"
#include "model/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::meta {

struct ChatRow {
    std::int64_t seq = 0;
    Chat chat;
    bool is_reusable = true;      // A new chat with the same members is this one.
    std::optional<Time> left_at;  // The line has left.
    // What Chat::icon_url is made of where it is shown.
    std::optional<AttachmentId> icon;
};

// The set of `handles`, however they are ordered.
std::string members_of(std::vector<std::string> handles);

// Appends the row and its handles; `row.seq` is set. Errc::conflict if it is reusable and a
// reusable chat of the line with these members exists.
Result<> insert_chat(Session& session, ChatRow& row);

// Whoever owns it: the caller compares the partner.
Result<std::optional<ChatRow>> find_chat(Session& session, ChatId id);
Result<std::optional<ChatRow>> find_chat_by_seq(Session& session, std::int64_t seq);
// The reusable chat of this line with these members.
Result<std::optional<ChatRow>> find_chat_with(Session& session,
                                              PartnerId partner,
                                              std::string_view line,
                                              std::string_view members);
// Where a message that comes in goes: as above, or else the chat with these members that was
// used last and that the line has not left.
Result<std::optional<ChatRow>> find_joined_chat_with(Session& session,
                                                     PartnerId partner,
                                                     std::string_view line,
                                                     std::string_view members);
// The chat with exactly these members that was used last, from any line but `excluded`.
Result<std::optional<ChatRow>> find_latest_chat_with(Session& session,
                                                     PartnerId partner,
                                                     std::string_view members,
                                                     const std::vector<std::string>& excluded);

// Most recently updated first. Empty filters match all.
struct ChatPosition {
    Time updated_at{};
    std::int64_t seq = 0;
};
struct ChatFilter {
    PartnerId partner;
    std::string line;
    std::vector<std::string> participants;  // All of them.
};
Result<std::vector<ChatRow>> list_chats(Session& session,
                                        const ChatFilter& filter,
                                        std::optional<ChatPosition> after,
                                        std::size_t max);

// For a message that enters the chat: moves updated_at and returns the message's ordinal.
// nullopt if there is no such chat or the line has left it.
Result<std::optional<std::int64_t>> next_ordinal(Session& session, std::int64_t chat, Time at);

// Given names are kept: a group without one is shown by its recipients. Either way no send finds
// the group by its members any more (contract section 3.2).
Result<> set_chat_name(Session& session, const ChatRow& chat, Time at);
Result<> set_chat_icon(Session& session, const ChatRow& chat, Time at);
// Stores `chat.handles[position]`, which may be new, and the members that remain; no send finds
// the chat by its members any more.
Result<> store_participant(Session& session, const ChatRow& chat, std::size_t position, Time at);
Result<> set_chat_left(Session& session, const ChatRow& chat, Time at);

Result<> set_chat_health(Session& session, std::int64_t chat, ChatHealth health, Time at);

// Opt-outs hold for all lines of a partner.
Result<> insert_opt_out(Session& session, PartnerId partner, std::string_view handle, Time at);
Result<bool> remove_opt_out(Session& session, PartnerId partner, std::string_view handle);
Result<> append_override(
    Session& session, PartnerId partner, ApiKeyId key, MessageId message, Time at);

struct Refusals {
    bool opted_out = false;
    bool blocked = false;
};
Result<Refusals> refusals_of(Session& session, PartnerId partner, std::string_view handle);

struct BlockedHandle {
    std::string handle;
    std::string reason;  // Empty: none was given.
    Time blocked_at{};
};
// Blocking again keeps the first time and reason.
Result<> insert_blocked_handle(Session& session, PartnerId partner, const BlockedHandle& blocked);
Result<std::optional<BlockedHandle>> find_blocked_handle(Session& session,
                                                         PartnerId partner,
                                                         std::string_view handle);
Result<std::uint64_t> count_blocked_handles(Session& session, PartnerId partner);
Result<std::vector<BlockedHandle>> blocked_handles_of(Session& session, PartnerId partner);
Result<bool> remove_blocked_handle(Session& session, PartnerId partner, std::string_view handle);

// The partner that owns a line, and a partner's lines in order of their numbers.
Result<std::optional<PartnerId>> owner_of_line(Session& session, std::string_view number);
Result<std::vector<std::string>> lines_of(Session& session, PartnerId partner);

}  // namespace satchel::meta
