// What is ephemeral, over HTTP. Contract section 7.1.
#pragma once

#include "admin/routes.hpp"

namespace satchel::admin {

// Of each partner and line its own tier, of a line also the one that results.
Async<http::Response> show_tiers(Call call);
// {"tier"}
Async<http::Response> set_partner_tier(Call call);
// {"tier", "message_tier"?}: without the latter messages stay. Ephemeral messages need an ephemeral
// line.
Async<http::Response> set_line_tier(Call call);

}  // namespace satchel::admin
