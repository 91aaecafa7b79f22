#include "service/delivery_worker.hpp"

#include "service/delivery_record.hpp"
#include "service/message_rows.hpp"
#include "service/message_service.hpp"

namespace satchel {

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
        TRY(loaded.row, meta::find_message_by_seq(session, seq, parts_.clock.now()));
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
    // Deleted, or the carrier has reported on it since an earlier attempt: it is there.
    if (!loaded.row || !is_on_its_way(loaded.row->status)) {
        co_return jobs::Settle([](meta::Session& /*session*/) { return Result<>{}; });
    }
    Message handed_over = loaded.message;
    if (parts_.gateway.fetches_media()) {
        parts_.media.sign_urls(handed_over.partner, handed_over.parts);
    }
    CO_TRY(gateway::Outcome outcome, co_await parts_.gateway.submit(loaded.chat, handed_over));
    if (outcome.sent_at) {
        for (const std::string& line : loaded.local_lines) {
            CO_CHECK(
                co_await parts_.inbound.receive_between_lines(loaded.chat, loaded.message, line));
        }
    }
    MessageEvent event;
    event.chat = std::move(loaded.chat);
    event.message = std::move(loaded.message);
    co_return jobs::Settle([seq = job.subject, event = std::move(event),
                            outcome = std::move(outcome),
                            now = parts_.clock.now()](meta::Session& session) mutable -> Result<> {
        // The carrier may have reported on it meanwhile.
        TRY(auto row, meta::find_message_by_seq(session, seq, now));
        if (!row || !(is_on_its_way(row->status) || outcome.sent_at)) return {};
        return record_outcome(session, *row, std::move(event), outcome, now);
    });
}

Result<> DeliveryWorker::given_up(meta::Session& session,
                                  const meta::Job& job,
                                  const Error& /*why*/) {
    TRY(auto row, meta::find_message_by_seq(session, job.subject, parts_.clock.now()));
    if (!row || !is_on_its_way(row->status)) return {};
    TRY(const auto chat, meta::find_chat_by_seq(session, row->chat));
    if (!chat) return {};
    gateway::Outcome outcome;
    outcome.failure_code = gateway::code_retries_exhausted;
    outcome.failure_reason = "The message could not be handed over, for all retries";
    MessageEvent event;
    event.chat = chat->chat;
    event.message = bare_message(*row, chat->chat);
    return record_outcome(session, *row, std::move(event), outcome, parts_.clock.now());
}

}  // namespace satchel
