#include "app/messaging.hpp"

#include "base/limits.hpp"
#include "gateway/http_gateway.hpp"
#include "gateway/sandbox.hpp"

namespace satchel::app {
namespace {

constexpr jobs::Backoff delivery_backoff{limits::delivery_retry_first,
                                         limits::delivery_attempts_max};
// A bridge may be away for longer.
constexpr jobs::Backoff bridge_backoff{limits::gateway_retry_first, limits::gateway_attempts_max};

jobs::RunnerOptions delivery_options(const fetch::Fetcher* to_bridge) {
    return {.kind = delivery_job,
            .backoff = to_bridge == nullptr ? delivery_backoff : bridge_backoff,
            .lease = limits::delivery_lease,
            .parallel_max = limits::deliveries_parallel_max};
}

constexpr jobs::RunnerOptions receipt_options{
    .kind = receive_job,
    .backoff = {limits::receive_retry_first, limits::receive_attempts_max},
    .lease = limits::receive_lease,
    .parallel_max = limits::receives_parallel_max};

std::unique_ptr<gateway::Gateway> make_gateway(const Config& config,
                                               const Clock& clock,
                                               fetch::Fetcher* to_bridge) {
    if (to_bridge == nullptr) return std::make_unique<gateway::Sandbox>(clock);
    return std::make_unique<gateway::HttpGateway>(
        gateway::HttpGateway::Parts{*to_bridge, clock, config.gateway.url, config.gateway.secret});
}

}  // namespace

Messaging::Messaging(const Config& config,
                     Loop& loop,
                     MediaService::Parts parts,
                     fetch::Fetcher* to_bridge)
    : limiter(parts.clock, config.server.messages_per_minute),
      media(parts),
      inbound({parts.database, media, parts.clock}),
      gateway(make_gateway(config, parts.clock, to_bridge)),
      worker({parts.database, media, inbound, *gateway, parts.clock}),
      deliveries(loop, parts.database, parts.clock, worker, delivery_options(to_bridge)),
      files({media, *parts.fetcher, to_bridge, config.gateway.url}),
      receiver({parts.database, inbound, files}),
      receipts(loop, parts.database, parts.clock, receiver, receipt_options),
      messages({parts.database, media, parts.clock, limiter, [this] { deliveries.wake(); }}),
      chats({parts.database, media, parts.clock,
             gateway->delivers_between_lines() ? ChatService::JoinsLines::yes
                                               : ChatService::JoinsLines::no}),
      message_changes({parts.database, media, parts.clock}),
      lines({parts.database, media, parts.clock}),
      recipients(parts.database, parts.clock) {
    if (to_bridge == nullptr) return;
    bridge.emplace(BridgeService::Parts{parts.database, media, inbound, parts.clock,
                                        config.gateway.secret, [this] { receipts.wake(); }});
}

}  // namespace satchel::app
