// What a partner has stored and how much it may, over HTTP.
#pragma once

#include "admin/routes.hpp"

#include <boost/json/object.hpp>

namespace satchel::admin {

// {"bytes": {"used", "max", "own"}, "files", "pending", "requests_per_minute": {"max", "own"},
// "creates_per_minute", "sends_per_minute"}. max 0: no limit; own: set for this partner.
Async<boost::json::object> describe_quota(Services& services, PartnerId partner);

Async<http::Response> show_quota(Call call);
// Members are numbers, or null for the server's setting; those left out stay. 200 as show_quota().
Async<http::Response> change_quota(Call call);

}  // namespace satchel::admin
