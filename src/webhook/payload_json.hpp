// Domain values as JSON, as they stand in webhook payloads. Private to this folder.
#pragma once

#include "model/message.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace satchel::webhook {

boost::json::value text_json(std::string_view text);
boost::json::value time_json(Time time);
boost::json::value time_json(const std::optional<Time>& time);  // Null if absent.

boost::json::object handle_json(const ChatHandle& handle);
boost::json::object health_json(const Chat& chat);
// The parts without their reactions (contract section 5.5). A part whose attachment was deleted
// keeps its place with null members (contract section 2.9).
boost::json::array parts_json(const std::vector<Part>& parts);
boost::json::value effect_json(const std::optional<Effect>& effect);
boost::json::value reply_to_json(const std::optional<ReplyTo>& reply_to);

}  // namespace satchel::webhook
