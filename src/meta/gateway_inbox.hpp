// Table gateway_inbox: messages that the carrier's bridge handed in. A row waits until its
// message is stored; after that it only remembers the bridge's id, so that the message does not
// come in again.
#pragma once

#include "meta/database.hpp"
#include "model/carried_message.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace satchel::meta {

struct InboxRow {
    std::int64_t seq = 0;
    MessageId message;  // The one it becomes.
    PartnerId partner;  // Who had the line when it came in.
    Time received_at{};
    std::optional<CarriedMessage> content;  // Absent: its message is stored.
};

// Sets `row.seq`. Errc::conflict if the line has a message with that id.
Result<> insert_inbox(Session& session, InboxRow& row);
Result<std::optional<InboxRow>> find_inbox(Session& session, std::int64_t seq);
// What the bridge's id became.
Result<std::optional<MessageId>> find_inbox_message(Session& session,
                                                    std::string_view line,
                                                    std::string_view bridge_id);
// Its message is stored, or will never be. False if that was so already.
Result<bool> finish_inbox(Session& session, std::int64_t seq);
// Forgets up to `max` that are finished and came in before `before`.
Result<> drop_finished_inbox(Session& session, Time before, std::size_t max);

}  // namespace satchel::meta
