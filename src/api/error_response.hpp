// The only place that turns errors into HTTP answers: the JSON envelope of /v3 (contract
// section 1.4), and the XML of upload and download URLs (contract section 2.3).
#pragma once

#include "base/result.hpp"
#include "http/message.hpp"

#include <string_view>

namespace satchel::api {

// Never contains Error::detail, which goes to the log with the trace id.
http::Response error_response(const Error& error, std::string_view trace_id);

// 405 with the methods that the path answers.
http::Response method_not_allowed(std::string allowed, std::string_view trace_id);

// An S3 error. `code` and `message` are text of ours, not the client's.
http::Response xml_error(int status,
                         std::string_view code,
                         std::string_view message,
                         std::string_view trace_id);

// The XML for an Error of ours: NoSuchKey for what is not found, InternalError otherwise.
http::Response xml_error(const Error& error, std::string_view trace_id);

// SlowDown: limits::transfers_max transfers are running.
http::Response busy(std::string_view trace_id);

}  // namespace satchel::api
