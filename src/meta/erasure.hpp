// What the operator's right-to-erasure command looks for, and what it does beside removing
// attachments (meta/attachments.hpp) and messages (meta/message_removal.hpp).
//
// Functions run inside a Database::read or ::write, and look at few rows each.
#pragma once

#include "meta/chats.hpp"
#include "meta/database.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::meta {

// Chats of the partner behind `after`, by chats.seq; with a handle those it is or was in. `next`
// is where to go on, nullopt at the end: a page may be empty although more follow.
struct ChatPage {
    std::vector<std::int64_t> chats;
    std::optional<std::int64_t> next;
};
Result<ChatPage> chats_to_erase(Session& session,
                                PartnerId partner,
                                std::string_view handle,
                                std::int64_t after,
                                std::size_t max);

struct AttachmentPage {
    std::vector<AttachmentId> attachments;
    std::optional<std::int64_t> next;
};
// All of the partner's behind `after`, by attachments.seq, made before `before`.
Result<AttachmentPage> attachments_to_erase(
    Session& session, PartnerId partner, Time before, std::int64_t after, std::size_t max);

// Of these messages, those at this place among the chat's handles. Returns how many.
Result<std::size_t> remove_reactions_by(Session& session,
                                        const std::vector<std::int64_t>& messages,
                                        int sender);
// With its participants. Its messages must be gone.
Result<> remove_chat(Session& session, std::int64_t chat);
// Puts `name` in the place of the handle at `position`, which has left; nobody finds the chat by
// its members any more.
Result<> rename_participant(
    Session& session, const ChatRow& chat, std::size_t position, std::string_view name, Time at);

// Webhook events of the partner made before `before` in which `handle` stands; all, without one.
// Those that are about a message go with it. Up to `max` are looked at.
struct EventPage {
    std::vector<std::int64_t> events;  // webhook_outbox.seq
    std::optional<std::int64_t> next;
};
Result<EventPage> events_to_erase(Session& session,
                                  PartnerId partner,
                                  std::string_view handle,
                                  Time before,
                                  std::int64_t after,
                                  std::size_t max);
Result<> remove_events(Session& session, const std::vector<std::int64_t>& events);

// Each up to `max`; how many.
Result<std::size_t> remove_contact_cards(Session& session,
                                         PartnerId partner,
                                         Time before,
                                         std::size_t max);
Result<std::size_t> remove_blocked_handles(
    Session& session, PartnerId partner, std::string_view handle, Time before, std::size_t max);
// Of messages that are gone.
Result<std::size_t> remove_idempotency_keys(Session& session, PartnerId partner, std::size_t max);
// Messages that came in and are not stored yet: their content. Those from `handle`, or to a group
// it is in; all, without one.
Result<std::size_t> drop_waiting_inbox(
    Session& session, PartnerId partner, std::string_view handle, Time before, std::size_t max);

}  // namespace satchel::meta
