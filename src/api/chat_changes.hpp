// What changes a chat: contract section 3.9.
#pragma once

#include "api/routes.hpp"

namespace satchel::api {

// PUT /v3/chats/{id}: 200. "" takes a name or an icon away.
Async<http::Response> update_chat(Call call);
// POST /v3/chats/{id}/read: 204.
Async<http::Response> mark_chat_read(Call call);
// POST and DELETE /v3/chats/{id}/typing: 204.
Async<http::Response> start_typing(Call call);
Async<http::Response> stop_typing(Call call);
// POST and DELETE (with a body) /v3/chats/{id}/participants: 202.
Async<http::Response> add_participant(Call call);
Async<http::Response> remove_participant(Call call);
// POST /v3/chats/{id}/leave: 202.
Async<http::Response> leave_chat(Call call);
// POST /v3/chats/{id}/share_contact_card: 204.
Async<http::Response> share_contact_card(Call call);

}  // namespace satchel::api
