// JSON in and out of the admin API.
#pragma once

#include "base/async.hpp"
#include "http/message.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace satchel::admin {

http::Response json_response(int status, const boost::json::value& body);
http::Response no_content();

// {"success":false,"error":{"status","code"?,"message"},"trace_id"}. Error::detail goes to the
// log only.
http::Response error_response(const Error& error, std::string_view trace_id);

// The body as a JSON object, within the limits of the partner API.
Async<boost::json::object> read_object(http::Request& request);

// The field `name`. reasons::missing_required_field, reasons::invalid_request_body.
Result<std::string> string_field(const boost::json::object& object, std::string_view name);
Result<std::int64_t> integer_field(const boost::json::object& object, std::string_view name);

// Percent-decodes a path segment; reasons::invalid_parameter if it is broken.
Result<std::string> decode_segment(std::string_view segment);

}  // namespace satchel::admin
