// Takes sent messages to the gateway: pending -> queued -> sent -> delivered, read or failed,
// each with its event. The subject of a job is messages.seq.
#pragma once

#include "base/clock.hpp"
#include "gateway/gateway.hpp"
#include "jobs/runner.hpp"
#include "meta/chats.hpp"
#include "meta/messages.hpp"
#include "service/inbound_service.hpp"
#include "service/media_service.hpp"

namespace satchel {

class DeliveryWorker : public jobs::Worker {
public:
    struct Parts {
        meta::Database& database;
        MediaService& media;
        InboundService& inbound;
        gateway::Gateway& gateway;
        const Clock& clock;
    };
    explicit DeliveryWorker(Parts parts) : parts_(std::move(parts)) {}

    Result<> taken(meta::Session& session, const meta::Job& job, Time now) override;
    Async<jobs::Settle> attempt(meta::Job job) override;
    Result<> given_up(meta::Session& session, const meta::Job& job, const Error& why) override;

private:
    struct Loaded;
    Async<Loaded> load(std::int64_t seq);
    Parts parts_;
};

}  // namespace satchel
