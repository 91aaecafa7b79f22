// Versions of the master key. docs/operations/admin-api.md.
#pragma once

#include "admin/routes.hpp"

namespace satchel::admin {

// {"keys":[...]}. Walks over all attachments.
Async<http::Response> list_master_keys(Call call);
// 200 with the version that is in use from here on and the progress of re-wrapping.
Async<http::Response> rotate_master_key(Call call);
Async<http::Response> show_rewrap(Call call);
// The version that the path names.
Async<http::Response> retire_master_key(Call call);

}  // namespace satchel::admin
