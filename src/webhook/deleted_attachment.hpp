// What becomes of an attachment in events that are still to be delivered.
#pragma once

#include "meta/database.hpp"
#include "model/ids.hpp"

#include <string>
#include <string_view>

namespace satchel::webhook {

// Inside the write that deletes it: a part that showed it keeps its place with null members, as in
// the message itself (contract section 2.9). An attempt that is under way sends what it had read.
Result<> forget_attachment(meta::Session& session, AttachmentId attachment);

// The body without it. `body` is of our own making; what is no JSON stays as it is.
std::string body_without(std::string_view body, AttachmentId attachment);

}  // namespace satchel::webhook
