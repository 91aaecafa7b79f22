// Backups that the server itself makes.
#pragma once

#include "admin/routes.hpp"

namespace satchel::admin {

// What runs, or became of the last.
Async<http::Response> show_backup(Call call);
// {"folder"}, an absolute path of the server's machine. 202 with what GET answers;
// 409 while one runs.
Async<http::Response> start_backup(Call call);

}  // namespace satchel::admin
