// The calls of the admin API, in one table.
#pragma once

#include "admin/admin.hpp"
#include "http/message.hpp"

#include <span>
#include <string>
#include <string_view>

namespace satchel::admin {

// A call whose route is known and whose token was right.
struct Call {
    Services& services;
    http::Request& request;
    std::string subject;  // The path's {}, percent-decoded; empty if the route has none.
};

using Action = Async<http::Response> (*)(Call call);

struct Route {
    http::Method method;
    std::string_view method_text;
    std::string_view path;  // Below /admin/v1; {} stands for one segment.
    std::string_view name;  // For logs and metrics.
    Action action;
};

std::span<const Route> routes();

}  // namespace satchel::admin
