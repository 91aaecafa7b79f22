// Changes to chats: names and icons, who takes part, who has read, who is typing. Contract
// section 3.9.
//
// A change and its events are one transaction. Another line of this server that takes part in the
// conversation sees what a device would: who came and went, and who is typing. A name or an icon
// stays with the line that set it.
//
// Usable from every loop at once. Everything here answers reasons::resource_not_found for a chat
// that is unknown or foreign, and reasons::chat_unavailable once the line has left it.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "meta/chats.hpp"
#include "meta/database.hpp"
#include "service/change.hpp"
#include "service/picture.hpp"
#include "webhook/chat_events.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace satchel {

// Absent: as it was. Empty: none any more.
struct ChatUpdate {
    std::optional<std::string> name;
    std::optional<std::string> icon_url;
};

class ChatService {
public:
    // Whether the lines of this server hear of each other from us (gateway::Gateway).
    enum class JoinsLines : bool { no, yes };
    struct Parts {
        meta::Database& database;
        MediaService& media;
        const Clock& clock;
        JoinsLines joins_lines = JoinsLines::no;
    };
    explicit ChatService(Parts parts) : parts_(parts) {}

    // reasons::cannot_update_dm, and those of fetch_picture() and keep_picture().
    Async<> update(Change change, ChatId id, ChatUpdate update);
    // All that came in.
    Async<> mark_read(PartnerId partner, ChatId id);
    // Has an effect over iMessage, limits::typing_window after the chat's last change at most.
    Async<> set_typing(Change change, ChatId id, webhook::Typing typing);
    // reasons::cannot_update_dm in a direct chat, state_conflict where the group's size or the
    // participant's state forbids it.
    Async<> add_participant(Change change, ChatId id, std::string handle);
    Async<> remove_participant(Change change, ChatId id, std::string handle);
    // As above, and reasons::not_on_this_service for anything but iMessage.
    Async<> leave(Change change, ChatId id);
    // reasons::contact_card_not_found if the chat's line has no card.
    Async<> share_contact_card(PartnerId partner, ChatId id);

private:
    Result<> write_update(meta::Session& session,
                          const Change& change,
                          ChatId id,
                          const ChatUpdate& update,
                          const std::optional<Picture>& icon) const;
    Result<> set_icon(meta::Session& session,
                      const Change& change,
                      meta::ChatRow& row,
                      const std::optional<Picture>& icon,
                      Time now) const;
    Result<> set_presence(meta::Session& session,
                          const Change& change,
                          meta::ChatRow row,
                          std::string_view handle,
                          HandleStatus status) const;
    Parts parts_;
};

}  // namespace satchel
