// MessageContent as clients send it: contract section 3.4. All of the syntax is checked here,
// before anything is looked up.
#pragma once

#include "api/routes.hpp"
#include "service/change.hpp"
#include "service/message_service.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::api {

// The body's "message". `allows_http`: media URLs may be http (fetch.allow_http).
// Errors: missing_required_field, invalid_request_body, invalid_message_content,
// invalid_parameter, feature_not_available.
Result<MessageContent> parse_message_content(const boost::json::object& message, bool allows_http);

// The body's member "message", with the Idempotency-Key header where it has no key of its own.
Result<MessageContent> required_content(const boost::json::object& body, const Call& call);
// The Idempotency-Key header (contract section 1.7). reasons::invalid_parameter.
Result<std::optional<std::string>> key_in_header(const Call& call);

// Members of a body. Absent and null: nothing. Another type: reasons::invalid_request_body.
Result<const boost::json::object*> optional_object(const boost::json::object& object,
                                                   std::string_view name);
Result<std::optional<std::string>> optional_string(const boost::json::object& object,
                                                   std::string_view name);
Result<bool> optional_bool(const boost::json::object& object, std::string_view name);
Result<std::optional<std::vector<std::string>>> optional_strings(const boost::json::object& object,
                                                                 std::string_view name);

// `to`: reasons::missing_required_field, and those of check_recipients().
Result<std::vector<std::string>> required_recipients(const boost::json::object& body);

// Whether a client may name this URL: https, or http where that is allowed.
Result<> check_media_url(std::string_view url, bool allows_http);

SendContext send_context(const Call& call, bool overrides_opt_out);
Change change_of(const Call& call);

}  // namespace satchel::api
