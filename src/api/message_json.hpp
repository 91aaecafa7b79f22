// Chats and messages as the API shows them: contract sections 3.1 and 3.5 to 3.7.
#pragma once

#include "http/message.hpp"
#include "model/message.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace satchel::api {

boost::json::object chat_handle_json(const ChatHandle& handle);
boost::json::object chat_health_json(const Chat& chat);
boost::json::object chat_json(const Chat& chat);

boost::json::object message_json(const Message& message);
boost::json::object sent_message_json(const Message& message);

http::Response json_answer(int status, const boost::json::object& body);
http::Response no_content();
// 202, for what takes effect elsewhere: contract section 1.4.
http::Response accepted(std::string_view message, std::string_view trace_id);

// null, or the text.
boost::json::value nullable(const std::optional<std::string>& text);
// Views that Boost.JSON takes.
boost::json::string_view json_text(std::string_view text);

}  // namespace satchel::api
