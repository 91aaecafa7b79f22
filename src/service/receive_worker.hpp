// Takes in the messages that the carrier's bridge handed in with files: downloads each file, then
// stores and announces the message. A message whose files do not come is stored without them in
// the end. The subject of a job is gateway_inbox.seq.
#pragma once

#include "base/clock.hpp"
#include "jobs/runner.hpp"
#include "meta/gateway_inbox.hpp"
#include "service/carried_media.hpp"
#include "service/inbound_service.hpp"

#include <chrono>
#include <string_view>

namespace satchel {

inline constexpr std::string_view receive_job = "receive";

class ReceiveWorker : public jobs::Worker {
public:
    struct Parts {
        meta::Database& database;
        InboundService& inbound;
        CarriedMedia& files;
    };
    explicit ReceiveWorker(Parts parts) : parts_(std::move(parts)) {}

    Result<> taken(meta::Session& session, const meta::Job& job, Time now) override;
    Async<jobs::Settle> attempt(meta::Job job) override;
    Result<> given_up(meta::Session& session, const meta::Job& job, const Error& why) override;

private:
    enum class LastAttempt : bool { no, yes };
    // Downloads into `inbound`, in order. Errc::unavailable if a file may come yet, unless this
    // is the last attempt.
    Async<> add_parts(const meta::InboxRow& row, LastAttempt last, InboundMessage& inbound);

    Parts parts_;
};

// Everything of the message but its parts.
InboundMessage inbound_of(const meta::InboxRow& row);

}  // namespace satchel
