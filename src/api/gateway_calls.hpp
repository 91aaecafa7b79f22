// What the carrier's bridge calls: POST /gateway/v1/statuses and /gateway/v1/inbound, signed with
// the gateway's secret. Protocol: docs/api/gateway.md.
#pragma once

#include "api/api.hpp"
#include "http/message.hpp"

#include <string_view>

namespace satchel::api {

inline constexpr std::string_view gateway_path_prefix = "/gateway/v1/";

// `rest`: what stands behind gateway_path_prefix. reasons::resource_not_found if there is no
// bridge, reasons::unauthorized unless the request is the bridge's.
Async<http::Response> call_gateway(Services& services,
                                   http::Request& request,
                                   std::string_view rest);

}  // namespace satchel::api
