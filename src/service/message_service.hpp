// Chats and messages: what partners send and read. Contract section 3.
//
// Order of writes of a send: media from URLs durable in the store, unconfirmed -> one
// transaction: idempotency key, chat, attachment rows, message, delivery job, events -> answer.
// Nothing is stored or queued unless all of it is. Delivery follows from the job.
//
// Usable from every loop at once. What is foreign is answered as what is unknown.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "meta/chats.hpp"
#include "meta/database.hpp"
#include "meta/message_removal.hpp"
#include "meta/messages.hpp"
#include "model/message.hpp"
#include "model/partner.hpp"
#include "service/media_service.hpp"
#include "service/pair_limiter.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace satchel {

inline constexpr std::string_view delivery_job = meta::delivery_job_kind;

// Exactly one of both.
struct MediaReference {
    std::optional<AttachmentId> attachment;
    std::string url;
};
struct NewAppCard {
    AppCard card;
    std::optional<MediaReference> image;
};
using NewPart = std::variant<TextPart, MediaReference, LinkPart, NewAppCard>;

// Keeps the syntax rules of contract section 3.4 (model/message_rules.hpp).
struct MessageContent {
    std::vector<NewPart> parts;
    std::optional<Effect> effect;
    std::optional<ReplyTo> reply_to;
    std::optional<Service> preferred_service;
    std::optional<std::string> idempotency_key;
};

// Who sends, and what holds for this request alone.
struct SendContext {
    Caller caller;
    std::string trace_id;
    bool overrides_opt_out = false;
    bool is_voice_memo = false;  // Its one part must be audio.
};

struct Sent {
    Chat chat;
    Message message;  // As it was when it was sent.
    bool is_new_chat = false;
};

struct MessagePage {
    std::vector<Message> messages;
    std::optional<std::string> next_cursor;
};
struct ChatPage {
    std::vector<Chat> chats;
    std::optional<std::string> next_cursor;
};
struct PageRequest {
    std::size_t limit = 0;
    std::optional<std::string> cursor;  // reasons::invalid_parameter unless it is one of ours.
};

class MessageService {
public:
    struct Parts {
        meta::Database& database;
        MediaService& media;
        const Clock& clock;
        PairLimiter& limiter;
        std::function<void()> wake_delivery;
    };
    explicit MessageService(Parts parts) : parts_(std::move(parts)) {}

    // The chat of `from` with exactly `to`, made if need be. reasons::phone_permission_denied
    // unless `from` is a line of the caller.
    Async<Sent> send_from(SendContext context,
                          std::string from,
                          std::vector<std::string> to,
                          MessageContent content);
    // reasons::line_not_eligible if the chat's line was taken away.
    Async<Sent> send_to_chat(SendContext context, ChatId chat, MessageContent content);
    // From the line of the chat with `to` that was used last, else from the first line.
    // reasons::no_eligible_line if all are excluded.
    Async<Sent> send_from_any(SendContext context,
                              std::vector<std::string> to,
                              std::vector<std::string> excluded_lines,
                              MessageContent content);

    Async<Chat> chat(PartnerId partner, ChatId id);  // reasons::resource_not_found
    Async<ChatPage> chats(meta::ChatFilter filter, PageRequest page);
    Async<Message> message(PartnerId partner, MessageId id);  // reasons::message_not_found
    Async<MessagePage> messages(PartnerId partner, ChatId chat, PageRequest page);
    Async<MessagePage> thread(PartnerId partner, MessageId id, meta::Order order, PageRequest page);
    Async<> remove(PartnerId partner, MessageId id);

private:
    struct Target {
        std::string from;
        std::vector<std::string> to;
        std::optional<ChatId> chat;  // Instead of from and to.
        bool is_any_line = false;
        std::vector<std::string> excluded_lines;
    };
    struct Plan;
    struct Written;

    Async<Sent> send(SendContext context, Target target, MessageContent content);
    Async<> bring_media(const SendContext& context, const MessageContent& content, Plan& plan);
    Result<Plan> plan(meta::Session& session,
                      const SendContext& context,
                      const Target& target,
                      const MessageContent& content) const;
    Result<> plan_chat(meta::Session& session,
                       const SendContext& context,
                       const Target& target,
                       Plan& plan) const;
    Result<> plan_parts(meta::Session& session,
                        const SendContext& context,
                        const MessageContent& content,
                        Plan& plan) const;
    Result<> keep_media(meta::Session& session, const SendContext& context, Plan& plan) const;
    Result<Written> write(meta::Session& session, const SendContext& context, Plan plan) const;
    Result<Sent> replay(meta::Session& session, PartnerId partner, MessageId id) const;
    Result<Message> to_message(meta::Session& session,
                               const meta::MessageRow& row,
                               const Chat& chat) const;

    Parts parts_;
};

// A row as the domain sees it; `chat` is its chat.
Result<Message> message_of(meta::Session& session,
                           const meta::MessageRow& row,
                           const Chat& chat,
                           const MediaService& media);

}  // namespace satchel
