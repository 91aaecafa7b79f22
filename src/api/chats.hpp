// /v3/chats: contract sections 3.2 and 3.9.
#pragma once

#include "api/routes.hpp"

namespace satchel::api {

// POST /v3/chats: 201 with the chat, made or found, and the message that was sent into it.
Async<http::Response> create_chat(Call call);
// GET /v3/chats: 200, most recently updated first.
Async<http::Response> list_chats(Call call);
// GET /v3/chats/{id}: 200.
Async<http::Response> get_chat(Call call);

}  // namespace satchel::api
