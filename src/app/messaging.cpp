#include "app/messaging.hpp"

#include "base/limits.hpp"

namespace satchel::app {
namespace {

constexpr jobs::RunnerOptions delivery_options{
    .kind = delivery_job,
    .backoff = {limits::delivery_retry_first, limits::delivery_attempts_max},
    .lease = limits::delivery_lease,
    .parallel_max = limits::deliveries_parallel_max};

}  // namespace

Messaging::Messaging(const Config& config, Loop& loop, MediaService::Parts parts)
    : limiter(parts.clock, config.server.messages_per_minute),
      media(parts),
      inbound({parts.database, media, parts.clock}),
      sandbox(parts.clock),
      worker({parts.database, media, inbound, sandbox, parts.clock}),
      deliveries(loop, parts.database, parts.clock, worker, delivery_options),
      messages({parts.database, media, parts.clock, limiter, [this] { deliveries.wake(); }}),
      chats({parts.database, media, parts.clock,
             sandbox.delivers_between_lines() ? ChatService::JoinsLines::yes
                                              : ChatService::JoinsLines::no}),
      message_changes({parts.database, media, parts.clock}),
      lines({parts.database, media, parts.clock}),
      recipients(parts.database, parts.clock) {}

}  // namespace satchel::app
