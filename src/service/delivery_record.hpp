// How a message's way is written down: its row, and one event for each step.
#pragma once

#include "gateway/gateway.hpp"
#include "meta/messages.hpp"
#include "model/message.hpp"

namespace satchel {

// Whether nothing is known of it yet.
bool is_on_its_way(DeliveryStatus status);

// `row` as it is in this transaction; `event` has its chat and message. A message goes forward
// only: what is known already changes nothing and is told to nobody, a step that was left out is
// told before the one that follows it, and what was delivered or has failed does not fail.
Result<> record_outcome(meta::Session& session,
                        meta::MessageRow& row,
                        MessageEvent event,
                        const gateway::Outcome& outcome,
                        Time now);

}  // namespace satchel
