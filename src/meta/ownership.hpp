// What is a partner's, by id, at a price that does not tell what is another partner's from
// what is not there (contract section 2.5: neither may be told from the other).
//
// The plain look-up by id stops at the index when the id is unknown and goes on to the row when
// it is foreign: some microseconds that a stranger can measure. Here an unknown id is led to
// another row instead, chosen by the id, so that both take the same steps.
#pragma once

#include "meta/attachments.hpp"
#include "meta/chats.hpp"
#include "meta/messages.hpp"

#include <optional>

namespace satchel::meta {

Result<std::optional<AttachmentRow>> find_own_attachment(Session& session,
                                                         AttachmentId id,
                                                         PartnerId partner,
                                                         Time now);
Result<std::optional<ChatRow>> find_own_chat(Session& session, ChatId id, PartnerId partner);
Result<std::optional<MessageRow>> find_own_message(Session& session,
                                                   MessageId id,
                                                   PartnerId partner,
                                                   Time now);

}  // namespace satchel::meta
