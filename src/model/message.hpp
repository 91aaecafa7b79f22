// Chats and messages as the domain sees them. Contract section 3.
#pragma once

#include "base/clock.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
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

// UTF-16 code units [begin, end); exactly one of style and animation is given.
struct TextDecoration {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::string style;
    std::string animation;
    bool operator==(const TextDecoration&) const = default;
};

struct TextPart {
    std::string value;
    std::vector<TextDecoration> decorations;
};

// An attachment as its part shows it, at the time it is read.
struct Media {
    AttachmentId id;
    std::string filename;
    std::string mime_type;  // As delivered (contract section 2.6).
    std::uint64_t size_bytes = 0;
    std::string url;
    std::string form;                         // Made for delivery, and its name; empty: as it is.
    std::optional<std::int64_t> duration_ms;  // Of sound that was made for delivery.
};

// Absent media: the attachment was deleted; the part keeps its place (contract section 2.9).
struct MediaPart {
    std::optional<Media> media;
};

struct LinkPart {
    std::string value;
};

using Part = std::variant<TextPart, MediaPart, LinkPart>;

enum class EffectType : std::uint8_t { screen, bubble };

struct Effect {
    EffectType type = EffectType::screen;
    std::string name;
};

struct ReplyTo {
    MessageId message;
    std::uint32_t part_index = 0;
};

// Also the SQL and JSON spelling ("delivery_status").
enum class DeliveryStatus : std::uint8_t {
    pending,
    queued,
    sent,
    delivered,
    received,
    read,
    failed
};

enum class Direction : std::uint8_t { inbound, outbound };

struct Message {
    MessageId id;
    ChatId chat;
    PartnerId partner;
    Direction direction = Direction::outbound;
    ChatHandle sender;
    Service service = Service::imessage;
    std::optional<Service> preferred_service;
    std::vector<Part> parts;
    std::optional<Effect> effect;
    std::optional<ReplyTo> reply_to;
    std::optional<std::string> idempotency_key;
    DeliveryStatus status = DeliveryStatus::pending;
    Time created_at{};
    Time updated_at{};
    std::optional<Time> sent_at;
    std::optional<Time> delivered_at;
    std::optional<Time> read_at;

    bool is_from_me() const { return direction == Direction::outbound; }
};

// What subscribers hear of a message (contract sections 5.5 to 5.7).
enum class MessageEventKind : std::uint8_t { sent, received, delivered, read, failed };

// `chat` and `message` as they were at `at`: message.sent carries no delivered_at.
struct MessageEvent {
    MessageEventKind kind = MessageEventKind::sent;
    Chat chat;
    Message message;
    Time at{};
    std::uint16_t failure_code = 0;  // Of failed: contract section 5.7.
    std::string failure_reason;
};

// Wire spellings.
std::string_view to_string(Service service);
std::string_view to_string(HandleStatus status);
std::string_view to_string(ChatHealth health);
std::string_view to_string(EffectType type);
std::string_view to_string(DeliveryStatus status);
std::string_view to_string(Direction direction);
std::string_view event_type(MessageEventKind kind);  // "message.sent"

std::optional<Service> parse_service(std::string_view text);
std::optional<DeliveryStatus> parse_delivery_status(std::string_view text);

// Where people read what a chat's health means.
inline constexpr std::string_view chat_health_doc_url =
    "https://docs.linqapp.com/guides/chats/chat-health";

}  // namespace satchel
