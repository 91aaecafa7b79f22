// The routes of the partner API, in one table.
#pragma once

#include "api/api.hpp"
#include "http/message.hpp"
#include "model/partner.hpp"
#include "service/call_limiter.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace satchel::api {

// A call whose route and caller are known.
struct Call {
    Services& services;
    http::Request& request;
    Caller caller;
    std::string_view id;  // The path's {id}, raw; empty if the route has none.
};

using Action = Async<http::Response> (*)(Call call);

struct Route {
    http::Method method;
    std::string_view method_text;
    std::string_view path;  // Below /v3; {id} stands for one segment.
    std::string_view name;  // For logs and metrics.
    Action action;
    CallKind kind = CallKind::other;  // For limits on how often.
};

std::span<const Route> routes();

}  // namespace satchel::api
