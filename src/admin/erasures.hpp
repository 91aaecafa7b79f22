// The right to erasure, step by step. docs/operations/admin-api.md.
#pragma once

#include "admin/routes.hpp"

namespace satchel::admin {

// {"partner_id","handle"?,"before"?,"dry_run"?,"position"?} -> {"erased":{...},"done","position"}.
// Works for a second or so; who is not done calls again with the position.
Async<http::Response> erase(Call call);

}  // namespace satchel::admin
