// Reading what clients send: JSON bodies and ids. Errors name the field and what it must be.
#pragma once

#include "base/async.hpp"
#include "base/limits.hpp"
#include "http/message.hpp"
#include "model/api_errors.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace satchel::api {

// At most `max`: reasons::request_body_too_large.
Async<std::string> read_json_body(http::Request& request,
                                  std::size_t max = limits::json_body_bytes_max);

// A JSON object no deeper than limits::json_depth_max: reasons::invalid_request_body.
Result<boost::json::object> parse_object(std::string_view json);

// Absent or null: reasons::missing_required_field. Another type: reasons::invalid_request_body.
Result<std::string> required_string(const boost::json::object& object, std::string_view name);
// As above; numbers above the int64 range come back as its end.
Result<std::int64_t> required_integer(const boost::json::object& object, std::string_view name);

// An id in a path: reasons::invalid_parameter unless it is a UUID.
template <class IdType>
Result<IdType> parse_id(std::string_view text, std::string_view name) {
    if (const auto id = IdType::parse(text)) return *id;
    return fail(reasons::invalid_parameter, std::string(name) + " must be a UUID");
}

}  // namespace satchel::api
