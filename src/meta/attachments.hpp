// Table attachments, and what a deletion leaves behind: blob_removals, and an entry in the audit.
//
// Functions run inside a Database::read or ::write. The file name and the attachment's key are
// opaque here: sealed bytes from the service.
#pragma once

#include "base/bytes.hpp"
#include "meta/audit.hpp"
#include "meta/database.hpp"
#include "meta/key_slot.hpp"
#include "model/attachment.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace satchel::meta {

struct AttachmentRow {
    AttachmentId id;
    PartnerId partner;
    Bytes wrapped_key;  // At most wrapped_key_bytes_max.
    std::uint32_t key_version = 0;
    Bytes sealed_name;
    std::string content_type;
    std::uint64_t size_bytes = 0;
    AttachmentState state = AttachmentState::pending;
    Tier tier = Tier::persistent;
    Time created_at{};
    Time upload_expires_at{};
    std::optional<BlobId> blob;
    bool is_sent = false;  // A message referred to it: its content is fixed.
    // What the bytes were found to be, a name of contract section 2.6; empty: nothing better than
    // the declared type is known.
    std::string detected_type;
    bool contradicts_type = false;  // Of another kind than declared: never sent.
    bool is_unscanned = false;      // Taken while the scanner could not be asked.
    // When the sweeper has to look at this row next; absent: never.
    std::optional<Time> sweep_at;
};

// Errc::conflict if the id or the blob is taken.
Result<> insert_attachment(Session& session, const AttachmentRow& row);

// One look-up by id, whoever owns it: the caller compares the partner, so that a foreign id and
// an unknown one cost the same. Nullopt also from the moment at which it expires, swept or not.
Result<std::optional<AttachmentRow>> find_attachment(Session& session, AttachmentId id, Time now);
// As it is stored, expired or not: for what removes and checks.
Result<std::optional<AttachmentRow>> find_stored_attachment(Session& session, AttachmentId id);
// Whether that finds something.
Result<bool> is_attachment_stored(Session& session, AttachmentId id);

struct StoredUpload {
    AttachmentId id;
    AttachmentState state;         // complete, or failed when the content is forbidden.
    std::optional<BlobId> blob;    // Present exactly when complete.
    std::optional<Time> sweep_at;  // Or earlier, if it expires.
    std::string detected_type;
    bool contradicts_type = false;
    bool is_unscanned = false;
};
enum class UploadStored : std::uint8_t { yes, row_is_gone, already_sent };
// Records a finished upload, unless a message refers to an earlier one. Blobs it replaces, those
// of renditions among them, go to blob_removals in the same transaction, and are returned in
// `replaced`.
Result<UploadStored> store_upload(Session& session,
                                  const StoredUpload& upload,
                                  std::vector<BlobId>& replaced);

// Until when the row of an upload that never came is kept.
Time end_of_lapsed(const AttachmentRow& row);

// Inside the transaction that stores the message.
Result<> mark_sent(Session& session, AttachmentId id);
// From now on it is ephemeral: its clock runs from its creation (contract 10.9).
Result<> make_ephemeral(Session& session, const AttachmentRow& row);

// A picture that no chat and no contact card shows any more is due at once, unless a client
// uploaded it: then it is the client's to delete.
Result<> release_picture(Session& session, AttachmentId id, Time now);

// Removes the row (with its key, name and renditions), queues its blobs for removal and writes
// the audit entry. nullopt if there is no such attachment of this partner.
struct Removed {
    std::vector<BlobId> blobs;
};
Result<std::optional<Removed>> remove_attachment(Session& session, const AuditEntry& entry);

// Rows whose sweep_at has come, oldest first.
Result<std::vector<AttachmentRow>> due_attachments(Session& session, Time now, std::size_t max);
// pending -> failed, with the next sweep_at. False if the row is gone or not pending any more.
Result<bool> fail_upload(Session& session, AttachmentId id, Time sweep_at);

// A blob whose row is gone but whose bytes may still be there.
struct BlobRemoval {
    std::int64_t seq;
    BlobId blob;
};
// Oldest first.
Result<std::vector<BlobRemoval>> pending_blob_removals(Session& session, std::size_t max);
Result<> forget_blob_removals(Session& session, std::span<const BlobRemoval> removals);
// Queues a blob that no row refers to; again, if it is queued already.
Result<> queue_blob_removal(Session& session, BlobId blob);

// Which attachment a blob belongs to, if a row refers to it; also as a rendition.
Result<std::optional<AttachmentId>> owner_of_blob(Session& session, BlobId blob);

// Rows with id > after, in id order; for fsck.
Result<std::vector<AttachmentRow>> attachments_after(Session& session,
                                                     AttachmentId after,
                                                     std::size_t max);

}  // namespace satchel::meta
