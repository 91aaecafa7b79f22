// Calls of the partner API that this server does not offer: contract section 9, group C.
#pragma once

#include "http/message.hpp"

#include <string_view>

namespace satchel::api {

// Whether a call (its path is below /v3) is one of those: answered with 403, 2011.
bool is_unavailable(http::Method method, std::string_view path);

}  // namespace satchel::api
