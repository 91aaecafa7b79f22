// Chats and who takes part in them. Contract section 3.1.
#pragma once

#include "base/clock.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel {

// What carries a message. Wire spelling: iMessage, SMS, RCS.
enum class Service : std::uint8_t { imessage, sms, rcs };

enum class HandleStatus : std::uint8_t { active, left, removed };

// A participant of one chat: a phone number in E.164 or an e-mail address.
struct ChatHandle {
    HandleId id;
    std::string handle;
    Service service = Service::imessage;
    HandleStatus status = HandleStatus::active;
    bool is_me = false;
    Time joined_at{};
    std::optional<Time> left_at;
};

// Wire spelling: HEALTHY, AT_RISK, CRITICAL, OPTED_OUT.
enum class ChatHealth : std::uint8_t { healthy, at_risk, critical, opted_out };

struct Chat {
    ChatId id;
    PartnerId partner;
    std::string line;          // The partner's own number, E.164.
    std::string display_name;  // The given one, or the recipients' handles joined by ", ".
    bool is_named = false;     // display_name was given.
    bool is_group = false;
    Service service = Service::imessage;
    std::vector<ChatHandle> handles;  // The first is the line's own: is_me. Then at least one.
    ChatHealth health = ChatHealth::healthy;
    Time health_updated_at{};
    std::string icon_url;  // Empty: none.
    Time created_at{};
    Time updated_at{};

    const ChatHandle& owner() const { return handles.front(); }
    // The recipients' handles, in the order of `handles`, without those who left.
    std::vector<std::string> recipients() const;
};

// Wire spellings.
std::string_view to_string(Service service);
std::string_view to_string(HandleStatus status);
std::string_view to_string(ChatHealth health);

std::optional<Service> parse_service(std::string_view text);

// Where people read what a chat's health means.
inline constexpr std::string_view chat_health_doc_url =
    "https://docs.linqapp.com/guides/chats/chat-health";

}  // namespace satchel
