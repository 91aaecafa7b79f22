// PUT upload_url: the bytes of an attachment (contract section 2.3), with S3's manners.
#pragma once

#include "api/api.hpp"
#include "http/message.hpp"

namespace satchel::api {

// `id_text`: what stands behind upload_path_prefix.
Task<http::Response> put_upload(Services& services,
                                http::Request& request,
                                std::string_view id_text);

}  // namespace satchel::api
