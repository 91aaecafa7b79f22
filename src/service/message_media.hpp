// The attachments that messages refer to, for whatever removes both.
#pragma once

#include "meta/messages.hpp"
#include "service/deletion_service.hpp"

#include <cstdint>
#include <vector>

namespace satchel {

std::vector<AttachmentId> attachments_in(const std::vector<meta::StoredPart>& parts);

// `elsewhere`: what came in with a message, or was fetched from a URL, and that no client uploaded.
enum class MediaOrigin : std::uint8_t { any, elsewhere };

// Those of the message, if it is there, that are there and its partner's.
Result<> add_media_of(meta::Session& session,
                      std::int64_t message,
                      MediaOrigin origin,
                      std::vector<OwnedAttachment>& out);
Result<> add_media_of(meta::Session& session,
                      const meta::MessageRow& message,
                      MediaOrigin origin,
                      std::vector<OwnedAttachment>& out);

// Whether no client has an upload URL for it, nor ever had.
bool is_from_elsewhere(const meta::AttachmentRow& row);

}  // namespace satchel
