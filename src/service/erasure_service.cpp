#include "service/erasure_service.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "meta/erasure.hpp"
#include "meta/message_removal.hpp"
#include "meta/traces.hpp"
#include "service/message_media.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace satchel {
namespace {

using Phase = ErasurePosition::Phase;

constexpr std::size_t page_rows = 500;
constexpr std::size_t alias_characters = 8;

Time end_of(const ErasureRequest& request) {
    return request.before.value_or(Time::max());
}

// The handle's place among a chat's recipients. The line's own is the partner's, not a person's.
std::optional<std::size_t> place_of(const Chat& chat, const std::string& handle) {
    for (std::size_t i = 0; i < chat.handles.size(); ++i) {
        if (!chat.handles[i].is_me && chat.handles[i].handle == handle) return i;
    }
    return std::nullopt;
}

// Whether all of the chat is what is to go, and not what one of several said.
bool takes_all(const ErasureRequest& request, const Chat& chat) {
    return request.handle.empty() || !chat.is_group;
}

struct Victims {
    std::vector<std::int64_t> messages;
    std::vector<std::int64_t> others;  // Stay, perhaps without a reaction.
    std::vector<OwnedAttachment> media;
    std::int64_t ordinal = 0;  // Of the last that was looked at; 0: there are no more.
    std::optional<std::size_t> place;
};

Result<Victims> find_victims(meta::Session& session,
                             const ErasureRequest& request,
                             const meta::ChatRow& chat,
                             std::int64_t ordinal) {
    Victims out;
    const bool whole = takes_all(request, chat.chat);
    out.place = place_of(chat.chat, request.handle);
    if (!request.handle.empty() && !out.place) return out;
    TRY(const auto rows, meta::messages_of_chat(session, chat.seq, ordinal, meta::before_any_expiry,
                                                limits::erase_batch_max));
    for (const meta::MessageRow& row : rows) {
        out.ordinal = row.ordinal;
        if (row.created_at >= end_of(request)) continue;
        if (!whole && row.sender != static_cast<int>(*out.place)) {
            out.others.push_back(row.seq);
            continue;
        }
        out.messages.push_back(row.seq);
        if (request.handle.empty()) continue;  // All attachments come later.
        CHECK(add_media_of(session, row, MediaOrigin::any, out.media));
    }
    return out;
}

}  // namespace

std::string ErasurePosition::str() const {
    return std::to_string(static_cast<int>(phase)) + ":" + std::to_string(at) + ":" +
           std::to_string(ordinal);
}

std::optional<ErasurePosition> ErasurePosition::parse(std::string_view text) {
    std::array<std::uint64_t, 3> numbers{};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto colon = i + 1 < numbers.size() ? text.find(':') : text.size();
        if (colon == std::string_view::npos) return std::nullopt;
        const auto number = parse_u64(text.substr(0, colon));
        if (!number || *number > INT64_MAX) return std::nullopt;
        numbers[i] = *number;
        text.remove_prefix(std::min(text.size(), colon + 1));
    }
    if (numbers[0] > static_cast<std::uint64_t>(Phase::done)) return std::nullopt;
    return ErasurePosition{static_cast<Phase>(numbers[0]), static_cast<std::int64_t>(numbers[1]),
                           static_cast<std::int64_t>(numbers[2])};
}

Async<ErasurePosition> ErasureService::go_on(ErasureRequest request,
                                             ErasurePosition position,
                                             std::chrono::steady_clock::duration time_max,
                                             ErasureCounts& counts) {
    const auto end = std::chrono::steady_clock::now() + time_max;
    while (position.phase != Phase::done && std::chrono::steady_clock::now() < end) {
        CO_CHECK(co_await step(request, position, counts));
        co_await yield();
    }
    co_return position;
}

Async<> ErasureService::step(const ErasureRequest& request,
                             ErasurePosition& at,
                             ErasureCounts& counts) {
    switch (at.phase) {
        case Phase::chats:
            if (at.ordinal == 0) co_return co_await next_chat(request, at);
            co_return co_await messages_of(request, at, counts);
        case Phase::attachments:
            co_return co_await attachments(request, at, counts);
        case Phase::events:
            co_return co_await events(request, at, counts);
        case Phase::rest:
            co_return co_await rest(request, at, counts);
        case Phase::traces: {
            if (request.dry_run == DryRun::no) {
                auto clear = [](meta::Session& session) -> Result<> {
                    meta::clear_traces(session);
                    return {};
                };
                CO_CHECK(co_await parts_.database.write(clear, meta::Erases::yes));
            }
            at = {Phase::done, 0, 0};
            co_return Result<>{};
        }
        case Phase::done:
            break;
    }
    co_return Result<>{};
}

Async<> ErasureService::next_chat(const ErasureRequest& request, ErasurePosition& at) {
    auto look = [&request, after = at.at](meta::Session& session) {
        return meta::chats_to_erase(session, request.partner, request.handle, after, page_rows);
    };
    CO_TRY(const meta::ChatPage page, co_await parts_.database.read(look));
    if (!page.chats.empty()) {
        at = {Phase::chats, page.chats.front(), INT64_MAX};
    } else if (page.next) {
        at.at = *page.next;
    } else {
        at = {request.handle.empty() ? Phase::attachments : Phase::events, 0, 0};
    }
    co_return Result<>{};
}

Async<> ErasureService::messages_of(const ErasureRequest& request,
                                    ErasurePosition& at,
                                    ErasureCounts& counts) {
    struct Found {
        std::optional<meta::ChatRow> chat;
        Victims victims;
    };
    auto look = [&request, at](meta::Session& session) -> Result<Found> {
        Found found;
        TRY(found.chat, meta::find_chat_by_seq(session, at.at));
        if (!found.chat) return found;
        TRY(found.victims, find_victims(session, request, *found.chat, at.ordinal));
        return found;
    };
    CO_TRY(Found found, co_await parts_.database.read(look));
    Victims& victims = found.victims;
    at.ordinal = victims.ordinal;
    if (at.ordinal == 0) {
        if (found.chat) CO_CHECK(co_await end_chat(request, *found.chat, counts));
        co_return Result<>{};
    }
    if (request.dry_run == DryRun::yes) {
        counts.messages += victims.messages.size();
        counts.attachments += victims.media.size();
        co_return Result<>{};
    }
    if (victims.messages.empty() && (victims.others.empty() || !victims.place)) {
        co_return Result<>{};
    }
    auto reactions = std::make_shared<std::size_t>(0);
    auto beside = [victims, reactions](meta::Session& session) -> Result<std::size_t> {
        if (victims.place) {
            TRY(*reactions, meta::remove_reactions_by(session, victims.others,
                                                      static_cast<int>(*victims.place)));
        }
        return meta::remove_messages(session, victims.messages);
    };
    CO_TRY(const auto removed, co_await parts_.deletions.remove_all(
                                   victims.media, {"erase", "operator"}, std::move(beside)));
    counts.attachments += removed.attachments;
    counts.messages += removed.beside;
    counts.reactions += *reactions;
    co_return Result<>{};
}

// The chat's messages are done. Nobody writes into it between the look and the change.
Async<> ErasureService::end_chat(const ErasureRequest& request,
                                 const meta::ChatRow& chat,
                                 ErasureCounts& counts) {
    const bool whole = takes_all(request, chat.chat);
    const auto place = place_of(chat.chat, request.handle);
    if (!request.handle.empty() && !place) co_return Result<>{};
    if (!whole && request.before) co_return Result<>{};
    if (request.before && chat.chat.updated_at >= *request.before) co_return Result<>{};
    if (request.dry_run == DryRun::yes) {
        ++(whole ? counts.chats : counts.participants);
        co_return Result<>{};
    }
    const std::string alias = "erased-" + Uuid::random().str().substr(0, alias_characters);
    auto change = [seq = chat.seq, whole, place, alias,
                   now = parts_.clock.now()](meta::Session& session) -> Result<bool> {
        TRY(const auto current, meta::find_chat_by_seq(session, seq));
        if (!current) return false;
        if (!whole) {
            CHECK(meta::rename_participant(session, *current, *place, alias, now));
            return true;
        }
        TRY(const auto left,
            meta::messages_of_chat(session, seq, INT64_MAX, meta::before_any_expiry, 1));
        if (!left.empty()) return false;
        CHECK(meta::remove_chat(session, seq));
        return true;
    };
    CO_TRY(const bool changed,
           co_await parts_.database.write(std::move(change), meta::Erases::yes));
    if (changed) ++(whole ? counts.chats : counts.participants);
    co_return Result<>{};
}

Async<> ErasureService::attachments(const ErasureRequest& request,
                                    ErasurePosition& at,
                                    ErasureCounts& counts) {
    auto look = [&request, after = at.at](meta::Session& session) {
        return meta::attachments_to_erase(session, request.partner, end_of(request), after,
                                          page_rows);
    };
    CO_TRY(const meta::AttachmentPage page, co_await parts_.database.read(look));
    if (request.dry_run == DryRun::yes) {
        counts.attachments += page.attachments.size();
    } else {
        std::vector<OwnedAttachment> batch;
        for (std::size_t i = 0; i < page.attachments.size(); ++i) {
            batch.push_back({request.partner, page.attachments[i]});
            const bool is_full =
                batch.size() == limits::erase_batch_max || i + 1 == page.attachments.size();
            if (!is_full) continue;
            CO_TRY(const auto removed, co_await parts_.deletions.remove_all(
                                           std::exchange(batch, {}), {"erase", "operator"}));
            counts.attachments += removed.attachments;
        }
    }
    at = page.next ? ErasurePosition{Phase::attachments, *page.next, 0}
                   : ErasurePosition{Phase::events, 0, 0};
    co_return Result<>{};
}

Async<> ErasureService::events(const ErasureRequest& request,
                               ErasurePosition& at,
                               ErasureCounts& counts) {
    auto look = [&request, after = at.at](meta::Session& session) {
        return meta::events_to_erase(session, request.partner, request.handle, end_of(request),
                                     after, page_rows);
    };
    CO_TRY(meta::EventPage page, co_await parts_.database.read(look));
    counts.events += page.events.size();
    if (request.dry_run == DryRun::no && !page.events.empty()) {
        auto remove = [events = std::move(page.events)](meta::Session& session) {
            return meta::remove_events(session, events);
        };
        CO_CHECK(co_await parts_.database.write(std::move(remove), meta::Erases::yes));
    }
    at = page.next ? ErasurePosition{Phase::events, *page.next, 0}
                   : ErasurePosition{Phase::rest, 0, 0};
    co_return Result<>{};
}

// One kind after the other, each until there is nothing left of it. Not counted by a dry run.
Async<> ErasureService::rest(const ErasureRequest& request,
                             ErasurePosition& at,
                             ErasureCounts& counts) {
    if (request.dry_run == DryRun::yes) {
        at = {Phase::traces, 0, 0};
        co_return Result<>{};
    }
    struct Done {
        std::size_t waiting = 0;
        std::size_t cards = 0;
        std::size_t blocked = 0;
        std::size_t keys = 0;
    };
    auto remove = [request](meta::Session& session) -> Result<Done> {
        Done done;
        const Time before = end_of(request);
        const std::size_t max = limits::erase_batch_max;
        TRY(done.waiting,
            meta::drop_waiting_inbox(session, request.partner, request.handle, before, max));
        TRY(done.blocked,
            meta::remove_blocked_handles(session, request.partner, request.handle, before, max));
        if (!request.handle.empty()) return done;
        TRY(done.cards, meta::remove_contact_cards(session, request.partner, before, max));
        if (request.before) return done;
        TRY(done.keys, meta::remove_idempotency_keys(session, request.partner, max));
        return done;
    };
    CO_TRY(const Done done, co_await parts_.database.write(std::move(remove), meta::Erases::yes));
    counts.waiting_messages += done.waiting;
    counts.contact_cards += done.cards;
    counts.blocked_handles += done.blocked;
    counts.idempotency_keys += done.keys;
    const bool is_over = done.waiting + done.cards + done.blocked + done.keys == 0;
    if (is_over) at = {Phase::traces, 0, 0};
    co_return Result<>{};
}

}  // namespace satchel
