// What is old enough to go: reads and removals for the chores of service/retention_service.hpp.
//
// Functions run inside a Database::read or ::write, and look at few rows each, however many there
// are.
#pragma once

#include "meta/database.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace satchel::meta {

// messages.seq of those whose ids were made before `before`, oldest first.
Result<std::vector<std::int64_t>> messages_before(Session& session, Time before, std::size_t max);
// When the oldest of its kind was made; nullopt: there is none.
Result<std::optional<Time>> oldest_message(Session& session);

struct IdempotencyKeyRow {
    PartnerId partner;
    std::string key;
    MessageId message;
    bool message_is_gone = false;
};
// Of messages after `after` whose ids were made before `before`, in their order.
Result<std::vector<IdempotencyKeyRow>> idempotency_keys_after(Session& session,
                                                              MessageId after,
                                                              Time before,
                                                              std::size_t max);
Result<> remove_idempotency_key(Session& session, const IdempotencyKeyRow& row);

// Each removes up to `max` and returns how many.
Result<std::size_t> drop_overrides_before(Session& session, Time before, std::size_t max);
Result<std::size_t> drop_inbox_before(Session& session, Time before, std::size_t max);
// What nobody will ever be told, because no edge is configured any more.
Result<std::size_t> drop_edge_purges(Session& session, std::size_t max);

Result<std::optional<Time>> oldest_override(Session& session);
Result<std::optional<Time>> oldest_inbox(Session& session);  // Of those whose message is stored.
Result<bool> has_edge_purges(Session& session);
// When the attachment that waits longest for the sweeper was due.
Result<std::optional<Time>> oldest_due_attachment(Session& session);

}  // namespace satchel::meta
