// Whom not to write to, and who can be reached over what: contract section 6.
#pragma once

#include "api/routes.hpp"

namespace satchel::api {

// GET /v3/blocked_handles: 200, oldest first.
Async<http::Response> list_blocked_handles(Call call);
// POST /v3/blocked_handles: 200 with the entry, new or not.
Async<http::Response> block_handle(Call call);
// DELETE /v3/blocked_handles, with a body: 204.
Async<http::Response> unblock_handle(Call call);

// POST /v3/capability/check_imessage and check_rcs: 200.
Async<http::Response> check_imessage(Call call);
Async<http::Response> check_rcs(Call call);

}  // namespace satchel::api
