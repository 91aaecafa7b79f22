// What the configuration means for the parts of a server.
#pragma once

#include "app/config.hpp"
#include "fetch/fetch.hpp"
#include "service/retention_service.hpp"
#include "service/urls.hpp"

#include <cstdint>

namespace satchel::app {

// server.threads, or one for each core.
unsigned thread_count(const Config& config);

// The configured bases; what is not configured follows from where the public listener is, which
// has `port`.
PublicUrls public_urls(const Config& config, std::uint16_t port);

// For addresses that clients name: section fetch.
fetch::Policy fetch_policy(const Config& config);
// For the bridge. The operator named it, so it may be anywhere that is not refused to everybody.
// It has no reason to send us elsewhere.
fetch::Policy bridge_policy(const Config& config);
// For the edge, of which the same is true.
fetch::Policy edge_policy(const Config& config);

RetentionSettings retention_settings(const Config& config);

}  // namespace satchel::app
