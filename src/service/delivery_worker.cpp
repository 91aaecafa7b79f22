#include "service/delivery_worker.hpp"

#include "service/message_rows.hpp"
#include "service/message_service.hpp"
#include "webhook/message_events.hpp"

namespace satchel {
namespace {

constexpr std::uint16_t code_retries_exhausted = 3007;

// One step of a message's way: the row first, then the event that tells of it.
class Progress {
public:
    Progress(meta::Session& session, meta::MessageRow& row, MessageEvent event)
        : session_(session), row_(row), event_(std::move(event)) {}

    // False: the message was deleted, and nobody is told of it any more.
    Result<bool> store() { return meta::update_delivery(session_, row_); }

    Result<> tell(MessageEventKind kind, Time at) {
        event_.kind = kind;
        event_.at = at;
        event_.message.status = row_.status;
        event_.message.updated_at = row_.updated_at;
        // An event knows what was known when it happened.
        const bool is_delivered =
            kind == MessageEventKind::delivered || kind == MessageEventKind::read;
        event_.message.sent_at = row_.sent_at;
        event_.message.delivered_at = is_delivered ? row_.delivered_at : std::nullopt;
        event_.message.read_at = kind == MessageEventKind::read ? row_.read_at : std::nullopt;
        return webhook::enqueue(session_, webhook::message_event(event_, {}));
    }

private:
    meta::Session& session_;
    meta::MessageRow& row_;
    MessageEvent event_;
};

Result<> record(meta::Session& session,
                meta::MessageRow row,
                MessageEvent event,
                const gateway::Outcome& outcome,
                Time now) {
    row.updated_at = now;
    row.sent_at = outcome.sent_at;
    row.delivered_at = outcome.delivered_at;
    row.read_at = outcome.read_at;
    if (outcome.has_failed()) {
        row.status = DeliveryStatus::failed;
    } else if (outcome.read_at) {
        row.status = DeliveryStatus::read;
    } else if (outcome.delivered_at) {
        row.status = DeliveryStatus::delivered;
    } else if (outcome.sent_at) {
        row.status = DeliveryStatus::sent;
    } else {
        return {};  // It stays queued.
    }
    event.failure_code = outcome.failure_code;
    event.failure_reason = outcome.failure_reason;
    Progress progress(session, row, std::move(event));
    TRY(const bool is_there, progress.store());
    if (!is_there) return {};
    if (outcome.sent_at) CHECK(progress.tell(MessageEventKind::sent, *outcome.sent_at));
    if (outcome.delivered_at) {
        CHECK(progress.tell(MessageEventKind::delivered, *outcome.delivered_at));
    }
    if (outcome.read_at) CHECK(progress.tell(MessageEventKind::read, *outcome.read_at));
    if (outcome.has_failed()) CHECK(progress.tell(MessageEventKind::failed, now));
    return {};
}

}  // namespace

struct DeliveryWorker::Loaded {
    std::optional<meta::MessageRow> row;  // Absent: deleted.
    Chat chat;
    Message message;
    std::vector<std::string> local_lines;  // Recipients that are lines of this server.
};

Result<> DeliveryWorker::taken(meta::Session& session, const meta::Job& job, Time now) {
    return meta::mark_queued(session, job.subject, now);
}

Async<DeliveryWorker::Loaded> DeliveryWorker::load(std::int64_t seq) {
    auto read = [this, seq](meta::Session& session) -> Result<Loaded> {
        Loaded loaded;
        TRY(loaded.row, meta::find_message_by_seq(session, seq));
        if (!loaded.row) return loaded;
        TRY(auto chat, meta::find_chat_by_seq(session, loaded.row->chat));
        if (!chat) return fail(Errc::corrupt, "a message's chat is missing");
        TRY(loaded.message, message_of(session, *loaded.row, chat->chat, parts_.media));
        loaded.chat = std::move(chat->chat);
        if (!parts_.gateway.delivers_between_lines()) return loaded;
        for (std::string& recipient : loaded.chat.recipients()) {
            TRY(const auto owner, meta::owner_of_line(session, recipient));
            if (owner) loaded.local_lines.push_back(std::move(recipient));
        }
        return loaded;
    };
    co_return co_await parts_.database.read(std::move(read));
}

Async<jobs::Settle> DeliveryWorker::attempt(meta::Job job) {
    CO_TRY(Loaded loaded, co_await load(job.subject));
    if (!loaded.row) {
        co_return jobs::Settle([](meta::Session& /*session*/) { return Result<>{}; });
    }
    CO_TRY(gateway::Outcome outcome, co_await parts_.gateway.submit(loaded.chat, loaded.message));
    if (outcome.sent_at) {
        for (const std::string& line : loaded.local_lines) {
            CO_CHECK(
                co_await parts_.inbound.receive_between_lines(loaded.chat, loaded.message, line));
        }
    }
    MessageEvent event;
    event.chat = std::move(loaded.chat);
    event.message = std::move(loaded.message);
    co_return jobs::Settle([row = std::move(*loaded.row), event = std::move(event),
                            outcome = std::move(outcome),
                            now = parts_.clock.now()](meta::Session& session) mutable {
        return record(session, std::move(row), std::move(event), outcome, now);
    });
}

Result<> DeliveryWorker::given_up(meta::Session& session,
                                  const meta::Job& job,
                                  const Error& /*why*/) {
    TRY(auto row, meta::find_message_by_seq(session, job.subject));
    if (!row) return {};
    TRY(const auto chat, meta::find_chat_by_seq(session, row->chat));
    if (!chat) return {};
    gateway::Outcome outcome;
    outcome.failure_code = code_retries_exhausted;
    outcome.failure_reason = "The message could not be handed over, for all retries";
    MessageEvent event;
    event.chat = chat->chat;
    event.message = bare_message(*row, chat->chat);
    return record(session, std::move(*row), std::move(event), outcome, parts_.clock.now());
}

}  // namespace satchel
