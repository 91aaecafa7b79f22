// The message part imessage_app: contract section 3.4.
#pragma once

#include "base/result.hpp"
#include "service/message_service.hpp"

#include <boost/json/object.hpp>

namespace satchel::api {

// reasons::invalid_app_card, missing_required_field, invalid_request_body, and
// invalid_parameter for an image_url that no client may name.
Result<NewAppCard> parse_app_card(const boost::json::object& part, bool allows_http);

}  // namespace satchel::api
