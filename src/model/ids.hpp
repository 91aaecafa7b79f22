#pragma once

#include "base/uuid.hpp"

namespace satchel {

using PartnerId = Id<struct PartnerTag>;
using AttachmentId = Id<struct AttachmentTag>;
using ApiKeyId = Id<struct ApiKeyTag>;
// One for each participant of each chat.
using HandleId = Id<struct HandleTag>;
using ChatId = Id<struct ChatTag>;
using MessageId = Id<struct MessageTag>;
// One stored byte string. A second upload to the same attachment gets a new one.
using BlobId = Id<struct BlobTag>;

}  // namespace satchel
