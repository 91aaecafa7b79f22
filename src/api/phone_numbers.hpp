// The partner's lines: contract section 6.
#pragma once

#include "api/routes.hpp"

namespace satchel::api {

// GET /v3/phone_numbers: 200.
Async<http::Response> list_phone_numbers(Call call);
// GET /v3/phonenumbers, the older form: 200.
Async<http::Response> list_phonenumbers(Call call);

}  // namespace satchel::api
