// Messages as the domain sees them. Contract section 3.
#pragma once

#include "base/clock.hpp"
#include "model/app_card.hpp"
#include "model/chat.hpp"
#include "model/ids.hpp"
#include "model/reaction.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace satchel {

// UTF-16 code units [begin, end); exactly one of style and animation is given.
struct TextDecoration {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::string style;
    std::string animation;
    bool operator==(const TextDecoration&) const = default;
};

// UTF-16 code units [begin, end).
struct TextRange {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

struct TextPart {
    std::string value;
    std::vector<TextDecoration> decorations;
    std::string mention{};  // The handle of a participant; empty: nobody.
    std::optional<TextRange> mention_range{};
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
    std::optional<Time> expires_at;           // Of an ephemeral attachment: `url` is signed.
};

// Absent media: the attachment was deleted; the part keeps its place (contract section 2.9).
struct MediaPart {
    std::optional<Media> media;
};

struct LinkPart {
    std::string value;
};

struct AppCardPart {
    AppCard card;
    std::optional<Media> image;  // Absent too once its attachment was deleted.
};

using Part = std::variant<TextPart, MediaPart, LinkPart, AppCardPart>;

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
    std::vector<Reaction> reactions;  // Oldest first.
    std::optional<Effect> effect;
    std::optional<ReplyTo> reply_to;
    std::optional<std::string> idempotency_key;
    DeliveryStatus status = DeliveryStatus::pending;
    Time created_at{};
    Time updated_at{};
    std::optional<Time> sent_at;
    std::optional<Time> delivered_at;
    std::optional<Time> read_at;
    std::optional<Time> expires_at;  // Of an ephemeral message.

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
std::string_view to_string(EffectType type);
std::string_view to_string(DeliveryStatus status);
std::string_view to_string(Direction direction);
std::string_view event_type(MessageEventKind kind);  // "message.sent"

std::optional<DeliveryStatus> parse_delivery_status(std::string_view text);

}  // namespace satchel
