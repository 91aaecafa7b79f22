// Messages that the operator sends for a partner: satchel upload --to.
#pragma once

#include "admin/routes.hpp"

namespace satchel::admin {

// {"to": [handle], "from"?: line, "text"?, "attachment_ids"?: [id]}, at least one of the last
// two. Without "from" as POST /v3/messages chooses. 201 with the message's and the chat's id;
// errors as POST /v3/chats has them.
Async<http::Response> send_message(Call call);

}  // namespace satchel::admin
