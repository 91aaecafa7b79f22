// Partners, API keys and lines over HTTP.
#pragma once

#include "admin/routes.hpp"

namespace satchel::admin {

Async<http::Response> list_partners(Call call);
Async<http::Response> add_partner(Call call);  // {"name"}: 201 with the first key.
Async<http::Response> show_partner(Call call);
Async<http::Response> disable_partner(Call call);

Async<http::Response> list_keys(Call call);
Async<http::Response> add_key(Call call);  // 201 with the key.
Async<http::Response> revoke_key(Call call);

Async<http::Response> list_lines(Call call);
Async<http::Response> add_line(Call call);  // {"number"}: 201.
Async<http::Response> remove_line(Call call);

}  // namespace satchel::admin
