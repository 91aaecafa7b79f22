// Sending. Reading is in message_reads.cpp.
#include "service/message_service.hpp"

#include "base/limits.hpp"
#include "meta/jobs.hpp"
#include "meta/ownership.hpp"
#include "meta/partners.hpp"
#include "model/api_errors.hpp"
#include "model/message_rules.hpp"
#include "service/line_choice.hpp"
#include "service/message_rows.hpp"
#include "service/part_media.hpp"
#include "webhook/message_events.hpp"

#include <algorithm>

namespace satchel {

// What a send will do, from one consistent view.
struct MessageService::Plan {
    std::optional<Sent> replayed;  // The idempotency key was used: this is the answer.
    meta::ChatRow chat;
    bool is_new_chat = false;
    meta::MessageRow row;
    std::vector<Part> parts;                         // As row.parts, for the answer.
    std::vector<std::optional<Sendable>> sendables;  // Of the parts by attachment.
    std::vector<StagedMedia> staged;
    bool overrides_opt_out = false;
};

struct MessageService::Written {
    std::optional<Sent> replayed;
    meta::ChatRow chat;
    meta::MessageRow row;
    std::vector<Part> parts;
    bool is_new_chat = false;
};

namespace {

// The media that a part shows, if it shows one.
Media* media_in(Part& part) {
    std::optional<Media>* media = nullptr;
    if (auto* file = std::get_if<MediaPart>(&part)) media = &file->media;
    if (auto* card = std::get_if<AppCardPart>(&part)) media = &card->image;
    return media != nullptr && *media ? &**media : nullptr;
}

Result<> check_recipients(meta::Session& session,
                          const SendContext& context,
                          const Chat& chat,
                          bool& overrides) {
    overrides = false;
    for (const std::string& recipient : chat.recipients()) {
        TRY(const auto refusals, meta::refusals_of(session, context.caller.partner, recipient));
        if (refusals.blocked) return fail(reasons::handle_blocked);
        // Groups are never stopped by an opt-out.
        if (!refusals.opted_out || chat.is_group) continue;
        if (!context.overrides_opt_out) return fail(reasons::recipient_opted_out);
        overrides = true;
    }
    return {};
}

Result<> check_mentions(const MessageContent& content, const Chat& chat) {
    for (const NewPart& part : content.parts) {
        const auto* text = std::get_if<TextPart>(&part);
        if (text == nullptr || text->mention.empty()) continue;
        if (!chat.is_group) return fail(reasons::mention_in_direct_chat);
        const auto others = chat.recipients();
        if (std::ranges::find(others, text->mention) == others.end()) {
            return fail(reasons::invalid_message_content, "mention must name a participant");
        }
    }
    return {};
}

Result<> check_first_message(const MessageContent& content, bool links_are_fine) {
    if (content.reply_to) {
        return fail(reasons::invalid_parameter, "reply_to: the first message of a chat has none");
    }
    if (content.effect) {
        return fail(reasons::invalid_parameter, "effect: the first message of a chat has none");
    }
    if (links_are_fine) return {};
    for (const NewPart& part : content.parts) {
        const auto* text = std::get_if<TextPart>(&part);
        if (std::holds_alternative<LinkPart>(part) || (text && contains_link(text->value))) {
            return fail(reasons::invalid_parameter,
                        "The first message of a chat must not contain a link");
        }
    }
    return {};
}

Result<> plan_reply(meta::Session& session,
                    const meta::ChatRow& chat,
                    Time now,
                    meta::MessageRow& row) {
    if (!row.reply_to) return {};
    TRY(const auto original,
        meta::find_own_message(session, row.reply_to->message, chat.chat.partner, now));
    if (!original || original->chat != chat.seq) {
        return fail(reasons::message_not_found, "reply_to: no such message in this chat");
    }
    if (row.reply_to->part_index >= original->parts.size()) {
        return fail(reasons::invalid_message_content, "reply_to.part_index: no such part");
    }
    row.thread = original->thread.value_or(original->seq);
    return {};
}

}  // namespace

Async<Sent> MessageService::send_from(SendContext context,
                                      std::string from,
                                      std::vector<std::string> to,
                                      MessageContent content) {
    Target target;
    target.from = std::move(from);
    target.to = std::move(to);
    co_return co_await send(std::move(context), std::move(target), std::move(content));
}

Async<Sent> MessageService::send_to_chat(SendContext context, ChatId chat, MessageContent content) {
    Target target;
    target.chat = chat;
    co_return co_await send(std::move(context), std::move(target), std::move(content));
}

Async<Sent> MessageService::send_from_any(SendContext context,
                                          std::vector<std::string> to,
                                          std::vector<std::string> excluded_lines,
                                          MessageContent content) {
    Target target;
    target.to = std::move(to);
    target.is_any_line = true;
    target.excluded_lines = std::move(excluded_lines);
    co_return co_await send(std::move(context), std::move(target), std::move(content));
}

Async<Sent> MessageService::send(SendContext context, Target target, MessageContent content) {
    // URLs of our own are references like ids.
    std::size_t downloads = 0;
    for (NewPart& part : content.parts) {
        MediaReference* media = reference_in(part);
        if (media == nullptr || media->attachment) continue;
        CO_TRY(media->attachment, parts_.media.own_reference(context.caller.partner, media->url));
        downloads += media->attachment ? 0 : 1;
    }
    if (downloads > limits::url_parts_max) {
        co_return fail(reasons::invalid_message_content, "A message must not have more than " +
                                                             std::to_string(limits::url_parts_max) +
                                                             " media parts by URL");
    }
    auto make_plan = [&](meta::Session& session) {
        return plan(session, context, target, content);
    };
    CO_TRY(Plan planned, co_await parts_.database.read(make_plan));
    if (planned.replayed) co_return std::move(*planned.replayed);

    const std::string line = planned.chat.chat.line;
    const std::vector<std::string> recipients = planned.chat.chat.recipients();
    CO_CHECK(parts_.limiter.take(line, recipients));

    // URLs are fetched and files converted when everything else is known to be right.
    const auto brought = co_await bring_media(context, content, planned);
    const std::vector<StagedMedia> staged = planned.staged;
    auto written =
        !brought ? Result<Written>(std::unexpected(brought.error()))
                 : co_await parts_.database.write(
                       [this, context, plan = std::move(planned)](meta::Session& session) mutable {
                           return write(session, context, std::move(plan));
                       });
    if (!written || written->replayed) {
        parts_.limiter.give_back(line, recipients);
        if (written || !may_come_back(written.error())) {
            ignore(co_await parts_.media.discard(staged), "start-up removes them too");
        }
        if (!written) co_return std::unexpected(std::move(written).error());
        co_return std::move(*written->replayed);
    }
    ignore(co_await parts_.media.confirm(staged), "start-up confirms them too");
    parts_.wake_delivery();

    Sent sent;
    sent.chat = std::move(written->chat.chat);
    sent.is_new_chat = written->is_new_chat;
    sent.message = bare_message(written->row, sent.chat);
    sent.message.parts = std::move(written->parts);
    co_return sent;
}

// What was staged before an error is in the plan.
Async<> MessageService::bring_media(const SendContext& context,
                                    const MessageContent& content,
                                    Plan& plan) {
    const Purpose purpose = context.is_voice_memo ? Purpose::voice_memo : Purpose::media;
    const auto end = std::chrono::steady_clock::now() + limits::send_conversions_max;
    for (std::size_t i = 0; i < content.parts.size(); ++i) {
        const NewPart& part = content.parts[i];
        const MediaReference* reference = reference_in(part);
        if (reference == nullptr) continue;
        const auto may_convert =
            std::chrono::steady_clock::now() < end ? MayConvert::yes : MayConvert::if_made;
        // Whoever shows a card's image takes it as it is.
        const bool is_file = std::holds_alternative<MediaReference>(part);
        if (reference->attachment) {
            if (!is_file) continue;
            CO_TRY(const Media media,
                   co_await parts_.media.prepare(*plan.sendables[i], purpose, may_convert));
            fill_in(media, plan.row.parts[i], plan.parts[i]);
            continue;
        }
        auto fetched = co_await parts_.media.stage_url(context.caller.partner, reference->url);
        if (!fetched && context.is_voice_memo &&
            fetched.error().reason == &reasons::file_too_large) {
            co_return fail(reasons::voice_memo_too_large);
        }
        if (!fetched) co_return std::unexpected(std::move(fetched).error());
        StagedMedia& staged = plan.staged.emplace_back(std::move(*fetched));
        CO_CHECK(check_kind(staged.media, part, context));
        if (is_file) CO_CHECK(co_await parts_.media.prepare(staged, purpose, may_convert));
        fill_in(staged.media, plan.row.parts[i], plan.parts[i]);
    }
    co_return Result<>{};
}

Result<MessageService::Plan> MessageService::plan(meta::Session& session,
                                                  const SendContext& context,
                                                  const Target& target,
                                                  const MessageContent& content) const {
    const PartnerId partner = context.caller.partner;
    const Time now = parts_.clock.now();
    Plan plan;
    if (!target.chat && !target.is_any_line) {
        TRY(const auto owner, meta::owner_of_line(session, target.from));
        if (owner != partner) return fail(reasons::phone_permission_denied);
    }
    if (content.idempotency_key) {
        TRY(const auto used,
            meta::find_idempotency_key(session, partner, *content.idempotency_key));
        if (used) {
            TRY(plan.replayed, replay(session, partner, *used));
            return plan;
        }
    }
    plan.row.effect = content.effect;
    plan.row.reply_to = content.reply_to;
    plan.row.preferred_service = content.preferred_service;
    plan.row.idempotency_key = content.idempotency_key;
    CHECK(plan_chat(session, context, target, plan));
    CHECK(check_mentions(content, plan.chat.chat));
    // Syntax before what is there (contract section 7.3).
    if (plan.is_new_chat) CHECK(check_first_message(content, target.is_any_line));
    CHECK(plan_parts(session, context, content, plan));
    if (!plan.is_new_chat) CHECK(plan_reply(session, plan.chat, now, plan.row));
    CHECK(check_recipients(session, context, plan.chat.chat, plan.overrides_opt_out));

    meta::MessageRow& row = plan.row;
    row.id = MessageId::ordered(now);
    row.partner = partner;
    row.service = row.preferred_service.value_or(plan.chat.chat.service);
    const bool is_card = std::holds_alternative<meta::StoredAppCard>(row.parts.front());
    if (is_card && row.service != Service::imessage) return fail(reasons::app_card_needs_imessage);
    row.created_at = now;
    row.updated_at = now;
    return plan;
}

Result<> MessageService::plan_chat(meta::Session& session,
                                   const SendContext& context,
                                   const Target& target,
                                   Plan& plan) const {
    const PartnerId partner = context.caller.partner;
    if (target.chat) {
        TRY(plan.chat, require_joined_chat(session, partner, *target.chat));
        TRY(const auto owner, meta::owner_of_line(session, plan.chat.chat.line));
        if (owner != partner) return fail(reasons::line_not_eligible);
        return {};
    }
    std::string line = target.from;
    std::optional<meta::ChatRow> found;
    if (target.is_any_line) {
        TRY(LineChoice choice, choose_line(session, partner, target.to, target.excluded_lines));
        line = std::move(choice.line);
        found = std::move(choice.chat);
    } else {
        TRY(found, meta::find_chat_with(session, partner, line, meta::members_of(target.to)));
    }
    plan.is_new_chat = !found;
    plan.chat = found ? std::move(*found) : new_chat(partner, line, target.to, parts_.clock.now());
    return {};
}

Result<> MessageService::plan_parts(meta::Session& session,
                                    const SendContext& context,
                                    const MessageContent& content,
                                    Plan& plan) const {
    for (const NewPart& part : content.parts) {
        append_part(part, plan.row.parts, plan.parts);
        plan.sendables.emplace_back();
        const MediaReference* reference = reference_in(part);
        if (reference == nullptr || !reference->attachment) continue;
        TRY(Sendable found,
            parts_.media.sendable(session, context.caller.partner, *reference->attachment));
        CHECK(check_kind(found.media, part, context));
        fill_in(found.media, plan.row.parts.back(), plan.parts.back());
        plan.sendables.back() = std::move(found);
    }
    return {};
}

// The media become the message's, and take the tier that its line has now.
Result<> MessageService::keep_media(meta::Session& session,
                                    const SendContext& context,
                                    Plan& plan) const {
    const PartnerId partner = context.caller.partner;
    TRY(const LineTiers tiers, meta::tiers_of_line(session, partner, plan.chat.chat.line));
    plan.row.expires_at = expires_at(tiers.messages, plan.row.created_at);
    auto staged = plan.staged.begin();
    for (std::size_t i = 0; i < plan.parts.size(); ++i) {
        Media* const media = media_in(plan.parts[i]);
        if (media == nullptr) continue;
        if (const auto& sendable = plan.sendables[i]) {
            CHECK(parts_.media.mark_sent(session, *sendable));
            TRY(const Tier tier, parts_.media.take_tier(session, *sendable, tiers.line));
            parts_.media.show_tier(partner, tier, sendable->row.created_at, *media);
            continue;
        }
        // An ephemeral message and what came with it leave together.
        if (plan.row.expires_at) staged->row.created_at = plan.row.created_at;
        CHECK(parts_.media.keep(session, *staged, tiers.media()));
        parts_.media.show_tier(partner, tiers.media(), staged->row.created_at, *media);
        ++staged;
    }
    return {};
}

// Looks again at all that may have changed since the plan was made.
Result<MessageService::Written> MessageService::write(meta::Session& session,
                                                      const SendContext& context,
                                                      Plan plan) const {
    const PartnerId partner = context.caller.partner;
    Written written;
    meta::MessageRow& row = plan.row;
    if (row.idempotency_key) {
        TRY(const bool is_new,
            meta::insert_idempotency_key(session, partner, *row.idempotency_key, row.id));
        if (!is_new) {
            TRY(const auto used,
                meta::find_idempotency_key(session, partner, *row.idempotency_key));
            if (!used) return fail(Errc::internal, "an idempotency key is taken and not there");
            TRY(written.replayed, replay(session, partner, *used));
            return written;
        }
    }
    CHECK(keep_media(session, context, plan));
    if (plan.is_new_chat) {
        TRY(auto made_meanwhile,
            meta::find_chat_with(session, partner, plan.chat.chat.line,
                                 meta::members_of(plan.chat.chat.recipients())));
        if (made_meanwhile) {
            plan.chat = std::move(*made_meanwhile);
            plan.is_new_chat = false;
        } else {
            CHECK(meta::insert_chat(session, plan.chat));
            CHECK(
                webhook::enqueue(session, webhook::chat_created(plan.chat.chat, context.trace_id)));
        }
    }
    row.chat = plan.chat.seq;
    TRY(const auto ordinal, meta::next_ordinal(session, row.chat, row.created_at));
    if (!ordinal) return fail(reasons::chat_unavailable);
    row.ordinal = *ordinal;
    CHECK(meta::insert_message(session, row));
    CHECK(meta::enqueue_job(session, delivery_job, row.seq, row.created_at));
    if (plan.overrides_opt_out) {
        CHECK(meta::append_override(session, partner, context.caller.key, row.id, row.created_at));
    }
    written.parts = std::move(plan.parts);
    written.chat = std::move(plan.chat);
    written.is_new_chat = plan.is_new_chat;
    written.row = std::move(row);
    return written;
}

// The first answer again: the message as it was when it was sent.
Result<Sent> MessageService::replay(meta::Session& session, PartnerId partner, MessageId id) const {
    TRY(auto row, meta::find_message(session, id, parts_.clock.now()));
    if (!row || row->partner != partner) {
        return fail(reasons::message_not_found,
                    "The message that this idempotency key sent is gone. Use a new key");
    }
    TRY(const auto chat, meta::find_chat_by_seq(session, row->chat));
    if (!chat) return fail(Errc::corrupt, "a message's chat is missing");
    row->status = DeliveryStatus::pending;
    row->updated_at = row->created_at;
    row->sent_at.reset();
    row->delivered_at.reset();
    row->read_at.reset();
    Sent sent;
    TRY(sent.message, to_message(session, *row, chat->chat));
    sent.chat = chat->chat;
    sent.is_new_chat = row->ordinal == 1;
    return sent;
}

}  // namespace satchel
