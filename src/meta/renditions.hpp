// Table renditions: other forms of an attachment's content, made for delivery. Their bytes are
// encrypted under the attachment's key; whatever removes the attachment removes them.
//
// Functions run inside a Database::read or ::write.
#pragma once

#include "meta/database.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::meta {

struct RenditionRow {
    std::string form;         // "jpeg", "voice": what the service calls it.
    std::uint32_t width = 0;  // Asked for, in pixels; 0 for forms of one size.
    BlobId blob;
    std::string content_type;
    std::uint64_t size_bytes = 0;
    std::optional<std::int64_t> duration_ms;
    Time created_at{};
};

// `source` is the blob it was made from. False if the attachment is gone, has other content by
// now, or has this form already: the caller removes the new bytes.
Result<bool> insert_rendition(Session& session,
                              AttachmentId attachment,
                              BlobId source,
                              const RenditionRow& row);
Result<std::optional<RenditionRow>> find_rendition(Session& session,
                                                   AttachmentId attachment,
                                                   std::string_view form,
                                                   std::uint32_t width);
Result<std::vector<RenditionRow>> renditions_of(Session& session, AttachmentId attachment);

// Removes the rows and queues their blobs for removal. `seq` is attachments.seq.
Result<std::vector<BlobId>> remove_renditions(Session& session, std::int64_t seq);

}  // namespace satchel::meta
