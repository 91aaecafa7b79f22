// Downloads of vCards by signed URLs: contract section 6.
#pragma once

#include "api/api.hpp"

#include <string_view>

namespace satchel::api {

// GET /_vcards/{partner_id}/{digits}.vcf?X-Amz-...; `rest` is what follows the prefix. Made anew
// each time from what the line is now; errors are S3's XML.
Task<http::Response> get_vcard(Services& services, http::Request& request, std::string_view rest);

}  // namespace satchel::api
