// Whether a partner may store more. Decided inside the write that adds the attachment: the one
// writer makes it exact however many ask at once.
//
// What comes in from outside is never refused (contract: a message is not lost), but counts.
#pragma once

#include "meta/database.hpp"
#include "model/attachment.hpp"
#include "model/quota.hpp"

#include <cstdint>

namespace satchel {

// Before an attachment of `bytes` is inserted in that state: reasons::quota_exceeded if the
// partner has its bytes or files, reasons::rate_limited if too many wait for their bytes.
// `quota` is the server's; the partner's own goes before it.
Result<> admit(meta::Session& session,
               const Quota& quota,
               PartnerId partner,
               std::uint64_t bytes,
               AttachmentState state);

// Before an upload completes this attachment. One that had failed has no place any more, and
// needs one. reasons::quota_exceeded; a value if there is no such attachment.
Result<> admit_again(meta::Session& session, const Quota& quota, AttachmentId id);

}  // namespace satchel
