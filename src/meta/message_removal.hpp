// Removes messages for good, with all that hangs from them: their reactions, the jobs that would
// deliver them, and the webhook events about them, whether those wait or were given up.
//
// What stays: idempotency keys, so that none of them sends again (contract section 1.7);
// attachments, which have lives of their own (contract section 2.5); replies, which keep their
// place in the thread; the audit of overridden opt-outs, which has no content.
#pragma once

#include "meta/database.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace satchel::meta {

// Kind of the jobs that deliver: their subject is a message's seq.
inline constexpr std::string_view delivery_job_kind = "deliver";

// `seqs` are of messages.seq, of any partners and chats; those that are gone are passed over.
// Returns how many were there. Inside a Database::write: with Erases::yes nothing of them is in
// the engine's log either when that returns. A delivery that is under way is not stopped, yet it
// finds no message to write to.
Result<std::size_t> remove_messages(Session& session, const std::vector<std::int64_t>& seqs);

// Numbers of ephemeral messages whose time is over, oldest first.
Result<std::vector<std::int64_t>> expired_messages(Session& session, Time now, std::size_t max);

}  // namespace satchel::meta
