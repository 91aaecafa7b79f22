#include "service/bridge_service.hpp"

#include "base/limits.hpp"
#include "gateway/gateway.hpp"
#include "meta/chats.hpp"
#include "meta/gateway_inbox.hpp"
#include "meta/jobs.hpp"
#include "meta/messages.hpp"
#include "model/api_errors.hpp"
#include "service/delivery_record.hpp"
#include "service/message_service.hpp"
#include "service/receive_worker.hpp"

#include <algorithm>

namespace satchel {
namespace {

gateway::Outcome outcome_of(const StatusReport& report, Time now) {
    if (report.status != DeliveryStatus::failed) {
        return gateway::reached(report.status, std::min(report.at.value_or(now), now));
    }
    gateway::Outcome outcome;
    outcome.failure_code = report.failure_code;
    outcome.failure_reason = gateway::failure_reason_of(report.failure_reason);
    return outcome;
}

}  // namespace

bool BridgeService::is_genuine(const crypto::WebhookMessage& message,
                               std::string_view signatures) const {
    // The bridge has signed with its own clock: the real time, whatever ours says.
    const std::chrono::sys_seconds now =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const std::int64_t skew_max =
        std::chrono::duration_cast<std::chrono::seconds>(limits::gateway_signature_skew_max)
            .count();
    const std::int64_t seconds = now.time_since_epoch().count();
    if (message.unix_seconds < seconds - skew_max || message.unix_seconds > seconds + skew_max) {
        return false;
    }
    return crypto::verify_standard_webhook(parts_.secret, message, signatures);
}

Async<DeliveryStatus> BridgeService::report(StatusReport report) {
    auto write = [this,
                  report = std::move(report)](meta::Session& session) -> Result<DeliveryStatus> {
        const Time now = parts_.clock.now();
        TRY(auto row, meta::find_message(session, report.message, now));
        if (!row || row->direction != Direction::outbound) return fail(reasons::message_not_found);
        TRY(auto chat, meta::find_chat_by_seq(session, row->chat));
        if (!chat) return fail(Errc::corrupt, "a message's chat is missing");
        MessageEvent event;
        TRY(event.message, message_of(session, *row, chat->chat, parts_.media));
        event.chat = std::move(chat->chat);
        CHECK(record_outcome(session, *row, std::move(event), outcome_of(report, now), now));
        return row->status;
    };
    co_return co_await parts_.database.write(std::move(write));
}

Async<MessageId> BridgeService::take_in(CarriedMessage message) {
    const bool has_files = message.has_files();
    auto taken = co_await parts_.database.write(
        [this, message = std::move(message)](meta::Session& session) {
            return write(session, message);
        });
    if (taken && has_files) parts_.wake_receiving();
    co_return taken;
}

Result<MessageId> BridgeService::write(meta::Session& session,
                                       const CarriedMessage& message) const {
    TRY(const auto known, meta::find_inbox_message(session, message.line, message.bridge_id));
    if (known) return *known;
    TRY(const auto partner, meta::owner_of_line(session, message.line));
    if (!partner) return fail(reasons::phone_number_not_found);
    const Time now = parts_.clock.now();
    CHECK(meta::drop_finished_inbox(session, now - limits::gateway_id_life,
                                    limits::gateway_tidy_batch_max));
    meta::InboxRow row;
    row.message = MessageId::ordered(now);
    row.partner = *partner;
    row.received_at = now;
    row.content = message;
    row.content->sent_at = std::min(message.sent_at, now);
    CHECK(meta::insert_inbox(session, row));
    if (message.has_files()) {
        CHECK(meta::enqueue_job(session, receive_job, row.seq, now));
        return row.message;
    }
    InboundMessage inbound = inbound_of(row);
    for (const CarriedPart& part : message.parts) {
        inbound.parts.emplace_back(std::get<TextPart>(part));
    }
    CHECK(parts_.inbound.store(session, inbound));
    return row.message;
}

}  // namespace satchel
