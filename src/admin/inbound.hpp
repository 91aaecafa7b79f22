// Messages that the operator lets come in: POST /admin/v1/inbound.
#pragma once

#include "admin/routes.hpp"

namespace satchel::admin {

// multipart/form-data: first "message" (JSON: line, from, text?), then any number of "media"
// files. 201 with the stored message.
Async<http::Response> receive_message(Call call);

}  // namespace satchel::admin
