// What changes a message that is out: contract section 3.8.
#pragma once

#include "api/routes.hpp"

namespace satchel::api {

// PATCH /v3/messages/{id}: 200 with the edited message.
Async<http::Response> edit_message(Call call);
// POST /v3/messages/{id}/reactions: 202.
Async<http::Response> react_to_message(Call call);

}  // namespace satchel::api
