// The life of an attachment: ask for an upload, store the bytes, read them. How it goes:
// service/deletion_service.hpp.
//
// Order of writes (contract: docs/adr/0004-order-of-writes.md):
//   create  row (pending) durable -> answer
//   upload  bytes durable in the store, unconfirmed -> row complete, durable -> blob confirmed
//           -> answer
// A crash between two steps leaves what recover() puts right before the first request.
//
// Everything is usable from every loop at once. A foreign id, and one whose time is over, is
// answered as an unknown one: reasons::attachment_not_found, after the same look-up.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "blob/store.hpp"
#include "crypto/digest.hpp"
#include "crypto/key_ring.hpp"
#include "http/message.hpp"
#include "meta/attachments.hpp"
#include "meta/database.hpp"
#include "model/attachment.hpp"
#include "model/content_type.hpp"
#include "model/partner.hpp"
#include "model/quota.hpp"
#include "service/content_inspector.hpp"
#include "service/open_downloads.hpp"
#include "service/rendition_service.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace satchel {

struct CreateAttachment {
    std::string filename;
    std::string content_type;
    std::int64_t size_bytes = 0;
};

struct StoreUpload {
    AttachmentId attachment;
    std::uint64_t content_length = 0;
    // Digests the client announced; the upload is refused if one does not fit.
    std::vector<std::pair<crypto::DigestKind, Bytes>> expected;
};

// Why an upload was refused, for errors that S3 clients know by name.
enum class UploadRefusal : std::uint8_t {
    none,
    no_such_upload,   // Never was, or deleted.
    incomplete_body,  // Fewer bytes than announced came.
    stalled,          // They stopped coming.
    bad_digest,       // A checksum does not fit.
    already_sent,     // A message refers to the content: it is fixed.
    over_quota,       // It had failed, and there is no place for it any more.
};

struct StoredAttachment {
    std::string etag;  // Quoted.
};

enum class UrlKind : bool { permanent, is_signed };

// What a download needs. Of a rendition, `attachment` has its bytes' type, size, blob and name.
struct Downloadable {
    Attachment attachment;
    crypto::Key blob_key;
};

class AttachmentService {
public:
    struct Parts {
        meta::Database& database;
        blob::Store& blobs;
        const crypto::KeyRing& keys;
        const Clock& clock;
        ContentTypePolicy content_types;
        ContentInspector& inspector;
        OpenDownloads& downloads;
        RenditionService* previews = nullptr;  // Null: none are made.
        Quota quota = {};                      // Of a partner that has none of its own.
    };
    explicit AttachmentService(Parts parts) : parts_(std::move(parts)) {}

    // Of the partner's tier at this moment: a line's is not known yet (contract 10.9).
    // Errors: those of check_filename and check_content_type, reasons::invalid_parameter,
    // reasons::file_too_large, those of admit().
    Async<Attachment> create(PartnerId partner, CreateAttachment command);

    Async<Attachment> find(PartnerId partner, AttachmentId id);

    // Stores the body as the attachment's bytes, replacing an earlier upload. Nothing is visible
    // or left behind unless it succeeds. Forbidden content is taken and thrown away, and the
    // attachment fails (contract section 2.3). What the client did wrong is in `refusal`.
    Async<StoredAttachment> store(StoreUpload command, http::Body& body, UploadRefusal& refusal);

    // What a download URL names: the content, or the form of it that was delivered.
    // reasons::attachment_not_found unless it is complete, the partner is right and the form is
    // there. An ephemeral one is there for a signed URL alone.
    Async<Downloadable> find_for_download(PartnerId partner,
                                          AttachmentId id,
                                          std::string form = {},
                                          UrlKind kind = UrlKind::permanent);
    // A preview of a complete attachment, made if need be: a JPEG no wider than `width` pixels, or
    // of sound its waveform. reasons::attachment_not_found, feature_not_available if this server
    // makes none, invalid_file_type if none can be made of it, overloaded.
    Async<Downloadable> find_preview(PartnerId partner, AttachmentId id, std::uint32_t width);
    // The bytes of what find_for_download() returned, until it is deleted.
    // reasons::attachment_not_found if it was deleted in between.
    Async<std::unique_ptr<DownloadReader>> open(const Downloadable& found);

    // Finishes interrupted uploads. Run once, before the first request.
    Async<> recover();
    // Finds out what became of uploads whose transaction failed in a way that a crash could still
    // turn into a success. For the sweeper. Returns how many there were.
    Async<std::size_t> settle_doubtful();

private:
    enum class Acceptable : bool { no, yes };
    Async<Acceptable> look(const meta::AttachmentRow& row,
                           const crypto::Key& key,
                           meta::StoredUpload& upload);
    Async<std::optional<meta::AttachmentRow>> find_row(AttachmentId id);
    Result<Downloadable> downloadable(const meta::AttachmentRow& row,
                                      const std::optional<meta::RenditionRow>& rendition) const;
    Async<> settle(BlobId blob);

    Parts parts_;
    std::mutex doubtful_mutex_;
    std::vector<BlobId> doubtful_;
};

// A strong validator; different for every upload. Quoted.
std::string etag_of(const BlobId& blob);

}  // namespace satchel
