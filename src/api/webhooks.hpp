// /v3/webhook-subscriptions and /v3/webhook-events: contract sections 5.1 and 5.2.
#pragma once

#include "api/routes.hpp"

namespace satchel::api {

// POST: 201 with the subscription and, this once, its signing_secret.
Async<http::Response> create_subscription(Call call);
Async<http::Response> list_subscriptions(Call call);
Async<http::Response> get_subscription(Call call);
// PUT: 200. What the body leaves out stays as it is.
Async<http::Response> update_subscription(Call call);
Async<http::Response> delete_subscription(Call call);
// Every event type there is, fired here or not.
Async<http::Response> list_webhook_events(Call call);

// The bodies. Errors: reasons::missing_required_field, reasons::invalid_request_body,
// reasons::invalid_parameter for an empty list of events.
Result<CreateSubscription> parse_create_subscription(std::string_view json);
Result<UpdateSubscription> parse_update_subscription(std::string_view json);

}  // namespace satchel::api
