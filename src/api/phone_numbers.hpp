// The partner's lines: contract section 6.
#pragma once

#include "api/routes.hpp"

namespace satchel::api {

// GET /v3/phone_numbers: 200.
Async<http::Response> list_phone_numbers(Call call);
// GET /v3/phonenumbers, the older form: 200.
Async<http::Response> list_phonenumbers(Call call);
// PUT /v3/phone_numbers/{id}: 200. null and "" end the forwarding.
Async<http::Response> update_phone_number(Call call);
// GET /v3/available_number: 200 with a line and a link to its vCard.
Async<http::Response> get_available_number(Call call);

}  // namespace satchel::api
