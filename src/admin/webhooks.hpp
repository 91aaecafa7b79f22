// Webhook deliveries that were given up.
#pragma once

#include "admin/routes.hpp"

namespace satchel::admin {

Async<http::Response> list_failed_webhooks(Call call);
// 200 with how many deliveries wait again.
Async<http::Response> replay_webhook(Call call);  // Those of one event.
Async<http::Response> replay_all_webhooks(Call call);

}  // namespace satchel::admin
