#include "meta/message_removal.hpp"

#include "meta/columns.hpp"

namespace satchel::meta {
namespace {

// A job that is leased belongs to its runner, which will find no message.
Result<> remove_jobs(Session& session, std::int64_t seq) {
    return session.run("DELETE FROM jobs WHERE kind = $1 AND subject = $2 AND is_leased = 0",
                       delivery_job_kind, seq);
}

}  // namespace

Result<std::size_t> remove_messages(Session& session, const std::vector<std::int64_t>& seqs) {
    std::size_t removed = 0;
    for (const std::int64_t seq : seqs) {
        std::optional<MessageId> id;
        {
            // A trigger removes its reactions.
            TRY(auto gone, session.query("DELETE FROM messages WHERE seq = $1 RETURNING id", seq));
            TRY(id,
                first_row(*gone, [](const Statement& row) { return id_at<MessageId>(row, 0); }));
        }
        if (!id) continue;
        ++removed;
        CHECK(remove_jobs(session, seq));
        CHECK(session.run("DELETE FROM webhook_outbox WHERE message = $1", *id));
    }
    return removed;
}

}  // namespace satchel::meta
