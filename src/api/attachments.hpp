// /v3/attachments: contract sections 2.2, 2.4 and 2.5.
#pragma once

#include "api/routes.hpp"

namespace satchel::api {

// POST /v3/attachments: 200 with the upload URL and the id.
Async<http::Response> create_attachment(Call call);
// GET /v3/attachments/{id}: 200 with the metadata.
Async<http::Response> get_attachment(Call call);
// DELETE /v3/attachments/{id}: 204 when the bytes are gone.
Async<http::Response> delete_attachment(Call call);

// The body of create_attachment, read from `json`. Errors: reasons::missing_required_field,
// reasons::invalid_request_body, reasons::invalid_parameter, reasons::file_too_large.
Result<CreateAttachment> parse_create_attachment(std::string_view json);

}  // namespace satchel::api
