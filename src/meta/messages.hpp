// Tables messages and idempotency_keys. Parts are sealed JSON, see docs/formats/metadata.md.
#pragma once

#include "meta/database.hpp"
#include "model/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace satchel::meta {

// A media part is its attachment's id, and the form of it that was delivered. Whether that
// attachment is still there is the attachment table's to say: a part whose attachment was deleted
// refers to nothing.
struct StoredMedia {
    AttachmentId attachment;
    std::string form;  // RenditionRow::form; empty: as it is.
};
// The image is one like that.
struct StoredAppCard {
    AppCard card;
    std::optional<AttachmentId> image;
};
using StoredPart = std::variant<TextPart, StoredMedia, LinkPart, StoredAppCard>;

struct MessageRow {
    std::int64_t seq = 0;
    MessageId id;
    PartnerId partner;
    std::int64_t chat = 0;     // chats.seq
    std::int64_t ordinal = 0;  // Counts the chat's messages; never used twice.
    Direction direction = Direction::outbound;
    int sender = 0;  // Position among the chat's handles.
    Service service = Service::imessage;
    std::optional<Service> preferred_service;
    std::vector<StoredPart> parts;
    std::optional<Effect> effect;
    std::optional<ReplyTo> reply_to;
    std::optional<std::int64_t> thread;  // seq of the message that began it; absent for that one.
    std::optional<std::string> idempotency_key;
    std::uint32_t edits = 0;
    std::optional<MessageId> copy_of;  // Of the message that another line of this server sent.
    DeliveryStatus status = DeliveryStatus::pending;
    Time created_at{};
    Time updated_at{};
    std::optional<Time> sent_at;
    std::optional<Time> delivered_at;
    std::optional<Time> read_at;
    std::optional<Time> expires_at;  // Of an ephemeral message (contract section 7.2).
};

std::string encode_parts(const std::vector<StoredPart>& parts);
Result<std::vector<StoredPart>> decode_parts(std::string_view text);

// Sets `row.seq`. Errc::conflict if the id is taken.
Result<> insert_message(Session& session, MessageRow& row);
// For what removes messages: at this time nothing has expired.
inline constexpr Time before_any_expiry{};
// What has expired by `now` is found nowhere here, whether or not it was removed.
Result<std::optional<MessageRow>> find_message(Session& session, MessageId id, Time now);
Result<std::optional<MessageRow>> find_message_by_seq(Session& session, std::int64_t seq, Time now);
// Newest first, with ordinals below `before`.
Result<std::vector<MessageRow>> messages_of_chat(
    Session& session, std::int64_t chat, std::int64_t before, Time now, std::size_t max);
// The message `thread` and the replies under it; by ordinal, behind `beyond` in that direction.
enum class Order : bool { ascending, descending };
Result<std::vector<MessageRow>> messages_of_thread(Session& session,
                                                   std::int64_t thread,
                                                   std::int64_t beyond,
                                                   Order order,
                                                   Time now,
                                                   std::size_t max);
Result<bool> remove_message(Session& session, MessageId id, PartnerId partner, Time now);

// Writes status, updated_at, sent_at, delivered_at, read_at. False if the row is gone.
Result<bool> update_delivery(Session& session, const MessageRow& row);
// Writes parts, edits and updated_at.
Result<> update_parts(Session& session, const MessageRow& row);
// received -> read, for inbound messages of the chat; how many, `max` at most.
Result<std::size_t> mark_read(Session& session, std::int64_t chat, Time at, std::size_t max);
// pending -> queued.
Result<> mark_queued(Session& session, std::int64_t seq, Time at);

Result<std::optional<MessageId>> find_idempotency_key(Session& session,
                                                      PartnerId partner,
                                                      std::string_view key);
// False if the key is taken.
Result<bool> insert_idempotency_key(Session& session,
                                    PartnerId partner,
                                    std::string_view key,
                                    MessageId message);

}  // namespace satchel::meta
