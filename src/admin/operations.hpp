// Health, numbers, the test clock and uploads on a partner's behalf.
#pragma once

#include "admin/routes.hpp"

namespace satchel::admin {

Async<http::Response> health(Call call);  // 200, or 503 with the failing part named.
Async<http::Response> stats(Call call);
// {"advance_seconds"}: returns when every expiry and sweep has followed.
Async<http::Response> advance_clock(Call call);
// Takes and answers what POST /v3/attachments does.
Async<http::Response> create_attachment(Call call);

}  // namespace satchel::admin
