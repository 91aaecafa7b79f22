// What parts of the server are told, made from the settings.
#pragma once

#include "app/config.hpp"
#include "fetch/fetch.hpp"
#include "service/urls.hpp"

namespace satchel::app {

// `port` is where the public listener stands.
PublicUrls public_urls(const Config& config, std::uint16_t port);

// For media URLs and webhook targets.
fetch::Policy fetch_policy(const Config& config);
// For the carrier's bridge.
fetch::Policy bridge_policy(const Config& config);

}  // namespace satchel::app
