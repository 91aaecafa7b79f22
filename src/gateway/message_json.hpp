// A message as the bridge reads it: docs/api/gateway.md.
#pragma once

#include "model/message.hpp"

#include <string>

namespace satchel::gateway {

// `message` has its media with the URLs that the bridge shall fetch.
std::string message_json(const Chat& chat, const Message& message);

}  // namespace satchel::gateway
