// /v3/messages and what is below a chat: contract sections 3.3, 3.8 and 4.
#pragma once

#include "api/routes.hpp"

namespace satchel::api {

// POST /v3/chats/{id}/messages: 202.
Async<http::Response> send_message(Call call);
// POST /v3/messages: 202; the line is ours to choose.
Async<http::Response> send_message_from_any(Call call);
// POST /v3/chats/{id}/voicememo: 202.
Async<http::Response> send_voice_memo(Call call);
// GET /v3/chats/{id}/messages: 200, newest first.
Async<http::Response> list_messages(Call call);
// GET /v3/messages/{id}: 200.
Async<http::Response> get_message(Call call);
// GET /v3/messages/{id}/thread: 200, oldest first unless order=desc.
Async<http::Response> get_thread(Call call);
// DELETE /v3/messages/{id}: 204. Recipients keep what they got.
Async<http::Response> delete_message(Call call);

}  // namespace satchel::api
