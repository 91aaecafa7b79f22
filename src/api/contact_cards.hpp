// /v3/contact_card: contract section 6.
#pragma once

#include "api/routes.hpp"

namespace satchel::api {

// POST: 200 with the card.
Async<http::Response> create_contact_card(Call call);
// GET, of one line with ?phone_number=: 200.
Async<http::Response> list_contact_cards(Call call);
// PATCH ?phone_number=: 200 with the card. "" takes a last name or an image away.
Async<http::Response> update_contact_card(Call call);

}  // namespace satchel::api
