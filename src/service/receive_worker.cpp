#include "service/receive_worker.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "model/api_errors.hpp"

#include <algorithm>

namespace satchel {
namespace {

jobs::Settle nothing_left() {
    return [](meta::Session& /*session*/) { return Result<>{}; };
}

// The line has gone to nobody or to another partner: whom the message was for is not here.
Result<> drop(meta::Session& session, const meta::InboxRow& row) {
    log::warn("inbound_message_dropped",
              {{"message_id", row.message.str()}, {"detail", "its line changed hands"}});
    TRY([[maybe_unused]] const bool was_waiting, meta::finish_inbox(session, row.seq));
    return {};
}

}  // namespace

InboundMessage inbound_of(const meta::InboxRow& row) {
    const CarriedMessage& content = *row.content;
    InboundMessage inbound;
    inbound.line = content.line;
    inbound.from = content.from;
    inbound.others = content.others;
    inbound.service = content.service;
    inbound.id = row.message;
    inbound.origin = InboxOrigin{.seq = row.seq,
                                 .partner = row.partner,
                                 .received_at = row.received_at,
                                 .sent_at = content.sent_at};
    return inbound;
}

Result<> ReceiveWorker::taken(meta::Session& /*session*/, const meta::Job& /*job*/, Time /*now*/) {
    return {};
}

Async<jobs::Settle> ReceiveWorker::attempt(meta::Job job) {
    auto find = [seq = job.subject](meta::Session& session) {
        return meta::find_inbox(session, seq);
    };
    CO_TRY(const auto row, co_await parts_.database.read(find));
    if (!row || !row->content) co_return nothing_left();
    InboundMessage inbound = inbound_of(*row);
    const auto last =
        job.attempts >= limits::receive_attempts_max ? LastAttempt::yes : LastAttempt::no;
    auto added = co_await add_parts(*row, last, inbound);
    if (!added) {
        co_await parts_.inbound.discard(inbound);
        co_return std::unexpected(std::move(added).error());
    }
    auto received = co_await parts_.inbound.receive(std::move(inbound));
    if (received) co_return nothing_left();
    if (received.error().reason != &reasons::phone_number_not_found) {
        co_return std::unexpected(std::move(received).error());
    }
    co_return jobs::Settle([row = *row](meta::Session& session) { return drop(session, row); });
}

Async<> ReceiveWorker::add_parts(const meta::InboxRow& row,
                                 LastAttempt last,
                                 InboundMessage& inbound) {
    using std::chrono::milliseconds;
    const auto end = std::chrono::steady_clock::now() + limits::receive_attempt_max;
    for (const CarriedPart& part : row.content->parts) {
        if (const auto* text = std::get_if<TextPart>(&part)) {
            inbound.parts.emplace_back(*text);
            continue;
        }
        const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
        const auto total_max =
            std::clamp<milliseconds>(left, milliseconds(1), limits::carried_media_fetch_max);
        auto staged =
            co_await parts_.files.stage(row.partner, std::get<CarriedFile>(part), total_max);
        // All is tried again; the last attempt brings what can be had.
        if (!staged && last == LastAttempt::no) {
            co_return fail(Errc::unavailable, staged.error().detail);
        }
        if (staged && *staged) {
            inbound.parts.emplace_back(std::move(**staged));
        } else {
            inbound.parts.emplace_back(MissingMedia{});
        }
    }
    co_return Result<>{};
}

Result<> ReceiveWorker::given_up(meta::Session& session,
                                 const meta::Job& job,
                                 const Error& /*why*/) {
    TRY(const auto row, meta::find_inbox(session, job.subject));
    if (!row || !row->content) return {};
    InboundMessage inbound = inbound_of(*row);
    for (const CarriedPart& part : row->content->parts) {
        const auto* text = std::get_if<TextPart>(&part);
        if (text != nullptr) {
            inbound.parts.emplace_back(*text);
        } else {
            inbound.parts.emplace_back(MissingMedia{});
        }
    }
    const auto stored = parts_.inbound.store(session, inbound);
    if (!stored && stored.error().reason == &reasons::phone_number_not_found) {
        return drop(session, *row);
    }
    if (!stored) return std::unexpected(stored.error());
    return {};
}

}  // namespace satchel
