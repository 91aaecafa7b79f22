#include "service/inbound_service.hpp"

#include "meta/chats.hpp"
#include "meta/gateway_inbox.hpp"
#include "meta/messages.hpp"
#include "meta/partners.hpp"
#include "model/api_errors.hpp"
#include "model/message_rules.hpp"
#include "service/line_to_line.hpp"
#include "service/message_rows.hpp"
#include "service/message_service.hpp"
#include "webhook/message_events.hpp"

#include <algorithm>

namespace satchel {
namespace {

std::vector<std::string> members_besides_line(const InboundMessage& inbound) {
    std::vector<std::string> out{inbound.from};
    for (const std::string& other : inbound.others) {
        const bool is_new = other != inbound.line && std::ranges::find(out, other) == out.end();
        if (is_new) out.push_back(other);
    }
    return out;
}

// In a direct chat only (contract section 3.9).
Result<> follow_opt_out(meta::Session& session,
                        meta::ChatRow& row,
                        const InboundMessage& inbound,
                        Time now) {
    Chat& chat = row.chat;
    if (chat.is_group) return {};
    const auto* text =
        inbound.parts.size() == 1 ? std::get_if<TextPart>(&inbound.parts.front()) : nullptr;
    ChatHealth health = ChatHealth::healthy;
    if (text != nullptr && is_opt_out(text->value)) {
        health = ChatHealth::opted_out;
        CHECK(meta::insert_opt_out(session, chat.partner, inbound.from, now));
    } else {
        CHECK(meta::remove_opt_out(session, chat.partner, inbound.from));
        if (chat.health != ChatHealth::opted_out) return {};
    }
    chat.health = health;
    chat.health_updated_at = now;
    return meta::set_chat_health(session, row.seq, health, now);
}

int position_of(const Chat& chat, std::string_view handle) {
    const auto found = std::ranges::find_if(
        chat.handles, [&](const ChatHandle& each) { return !each.is_me && each.handle == handle; });
    return static_cast<int>(found - chat.handles.begin());
}

std::vector<StagedMedia> staged_in(const InboundMessage& inbound) {
    std::vector<StagedMedia> out;
    for (const InboundPart& part : inbound.parts) {
        if (const auto* staged = std::get_if<StagedMedia>(&part)) out.push_back(*staged);
    }
    return out;
}

}  // namespace

Async<PartnerId> InboundService::partner_of(std::string line) {
    auto find = [line = std::move(line)](meta::Session& session) -> Result<PartnerId> {
        TRY(const auto owner, meta::owner_of_line(session, line));
        if (!owner) return fail(reasons::phone_number_not_found);
        return *owner;
    };
    co_return co_await parts_.database.read(std::move(find));
}

Async<Message> InboundService::receive(InboundMessage inbound) {
    const std::vector<StagedMedia> staged = staged_in(inbound);
    auto written = co_await parts_.database.write(
        [this, inbound = std::move(inbound)](meta::Session& session) {
            return store(session, inbound);
        });
    if (!written) {
        if (!may_come_back(written.error())) {
            ignore(co_await parts_.media.discard(staged), "start-up removes them too");
        }
        co_return std::unexpected(std::move(written).error());
    }
    ignore(co_await parts_.media.confirm(staged), "start-up confirms them too");
    co_return std::move(*written);
}

Task<> InboundService::discard(const InboundMessage& inbound) {
    ignore(co_await parts_.media.discard(staged_in(inbound)), "start-up removes them too");
}

Result<Message> InboundService::store(meta::Session& session, const InboundMessage& inbound) const {
    TRY(const auto partner, meta::owner_of_line(session, inbound.line));
    const auto& origin = inbound.origin;
    if (!partner || (origin && origin->partner != *partner)) {
        return fail(reasons::phone_number_not_found);
    }
    CHECK(check_handle(inbound.from));
    const Time now = parts_.clock.now();
    if (origin) {
        TRY(const bool is_first, meta::finish_inbox(session, origin->seq));
        if (!is_first) return fail(Errc::conflict, "the bridge's message has come in already");
    }

    const auto members = members_besides_line(inbound);
    TRY(auto chat,
        meta::find_joined_chat_with(session, *partner, inbound.line, meta::members_of(members)));
    if (!chat) {
        chat = new_chat(*partner, inbound.line, members, now);
        CHECK(meta::insert_chat(session, *chat));
        CHECK(webhook::enqueue(session, webhook::chat_created(chat->chat, {})));
    }
    CHECK(follow_opt_out(session, *chat, inbound, now));

    meta::MessageRow row;
    row.id = inbound.id.value_or(MessageId::ordered(now));
    row.partner = *partner;
    row.chat = chat->seq;
    row.direction = Direction::inbound;
    row.sender = position_of(chat->chat, inbound.from);
    row.service = inbound.service;
    row.copy_of = inbound.copy_of;
    row.status = DeliveryStatus::received;
    row.created_at = origin ? origin->received_at : now;
    row.updated_at = now;
    row.sent_at = origin ? origin->sent_at : now;
    TRY(const LineTiers tiers, meta::tiers_of_line(session, *partner, inbound.line));
    row.expires_at = expires_at(tiers.messages, row.created_at);
    for (const InboundPart& part : inbound.parts) {
        if (std::holds_alternative<MissingMedia>(part)) {
            row.parts.emplace_back(meta::StoredMedia{AttachmentId::random(), {}});  // Of none.
            continue;
        }
        if (const auto* text = std::get_if<TextPart>(&part)) {
            row.parts.emplace_back(*text);
            continue;
        }
        if (const auto* card = std::get_if<AppCard>(&part)) {
            row.parts.emplace_back(meta::StoredAppCard{*card, {}});
            continue;
        }
        StagedMedia staged = std::get<StagedMedia>(part);
        if (staged.row.partner != *partner) {
            return fail(Errc::conflict, "the line changed hands while its message came in");
        }
        // An ephemeral message and what came with it leave together.
        if (row.expires_at) staged.row.created_at = row.created_at;
        CHECK(parts_.media.keep(session, staged, tiers.media()));
        row.parts.emplace_back(meta::StoredMedia{staged.row.id, {}});
    }
    TRY(const auto ordinal, meta::next_ordinal(session, row.chat, now));
    if (!ordinal) return fail(Errc::conflict, "the line has left the chat");
    row.ordinal = *ordinal;
    chat->chat.updated_at = now;
    CHECK(meta::insert_message(session, row));

    MessageEvent event;
    event.kind = MessageEventKind::received;
    event.chat = chat->chat;
    TRY(event.message, message_of(session, row, chat->chat, parts_.media));
    event.at = now;
    CHECK(webhook::enqueue(session, webhook::message_event(event, {})));
    return std::move(event.message);
}

Async<> InboundService::receive_between_lines(const Chat& chat,
                                              const Message& message,
                                              std::string line) {
    InboundMessage inbound;
    inbound.id = copied_id(message.id, line);
    inbound.copy_of = message.id;
    inbound.from = chat.line;
    inbound.service = message.service;
    if (chat.is_group) inbound.others = chat.recipients();

    struct Found {
        std::optional<PartnerId> owner;
        bool has_come = false;
    };
    auto look = [line, id = *inbound.id,
                 now = parts_.clock.now()](meta::Session& session) -> Result<Found> {
        Found found;
        TRY(found.owner, meta::owner_of_line(session, line));
        TRY(const auto row, meta::find_message(session, id, now));
        found.has_come = row.has_value();
        return found;
    };
    CO_TRY(const Found found, co_await parts_.database.read(std::move(look)));
    if (!found.owner || found.has_come) co_return Result<>{};

    inbound.line = std::move(line);
    for (const Part& part : message.parts) {
        if (const auto* text = std::get_if<TextPart>(&part)) inbound.parts.emplace_back(*text);
        if (const auto* link = std::get_if<LinkPart>(&part)) {
            inbound.parts.emplace_back(TextPart{link->value, {}});
        }
        if (const auto* card = std::get_if<AppCardPart>(&part)) {
            inbound.parts.emplace_back(card->card);
        }
        const auto* media = std::get_if<MediaPart>(&part);
        if (media == nullptr || !media->media) continue;
        auto copy =
            co_await parts_.media.stage_copy({media->media->id, media->media->form}, *found.owner);
        if (!copy) {
            ignore(co_await parts_.media.discard(staged_in(inbound)), "start-up removes them too");
            co_return std::unexpected(std::move(copy).error());
        }
        if (*copy) inbound.parts.emplace_back(std::move(**copy));
    }
    // All of it was deleted on its way.
    if (inbound.parts.empty()) co_return Result<>{};
    CO_CHECK(co_await receive(std::move(inbound)));
    co_return Result<>{};
}

}  // namespace satchel
