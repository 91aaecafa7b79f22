// Attachments as parts of messages: who may send which, how a part shows it, and bytes that
// come in from elsewhere (another line, a URL, the operator).
//
// Order of writes for bytes from elsewhere: bytes durable in the store, unconfirmed -> row
// complete, in the transaction that refers to it -> blob confirmed. What is staged and never
// kept is removed by discard() or at the next start.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "blob/store.hpp"
#include "crypto/key_ring.hpp"
#include "fetch/fetch.hpp"
#include "meta/attachments.hpp"
#include "meta/database.hpp"
#include "meta/messages.hpp"
#include "meta/renditions.hpp"
#include "model/content_type.hpp"
#include "model/message.hpp"
#include "model/quota.hpp"
#include "service/content_inspector.hpp"
#include "service/delivery_form.hpp"
#include "service/rendition_service.hpp"
#include "service/urls.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace satchel {

// Whether a write that failed may still be found done after a crash (meta::Database): then the
// blobs it refers to are left for the next start to settle.
bool may_come_back(const Error& failed_write);

// Bytes that are pulled.
class MediaSource {
public:
    virtual ~MediaSource() = default;
    // Fills the front of `target`; less than all of it only at the end.
    virtual Async<std::size_t> fill(std::span<std::byte> target) = 0;
};

class BytesSource : public MediaSource {
public:
    explicit BytesSource(ByteView bytes) : bytes_(bytes) {}
    Async<std::size_t> fill(std::span<std::byte> target) override;

private:
    ByteView bytes_;
};

// Who says what a file is, where its bytes do not.
enum class TypeSource : std::uint8_t {
    carrier,  // It came in. A carrier may be wrong about it: its bytes decide.
    fetched,  // By URL: `content_type` is the answer's (contract section 10.15).
    copied,   // It is a copy of an attachment of ours: nothing is looked at again.
};

struct NewMedia {
    PartnerId partner;
    std::string filename;
    std::string content_type;
    TypeSource type_source = TypeSource::carrier;
};

// Bytes in the store whose row is not written yet.
struct StagedMedia {
    meta::AttachmentRow row;
    Media media;
    std::optional<meta::RenditionRow> rendition;  // What is delivered in place of the bytes.
    bool is_asked_for = false;                    // By its partner: quotas apply.
};

// An attachment that may be sent, as it was when it was looked at.
struct Sendable {
    meta::AttachmentRow row;
    Media media;
};

class MediaService {
public:
    struct Parts {
        meta::Database& database;
        blob::Store& blobs;
        const crypto::KeyRing& keys;
        const Clock& clock;
        const UrlMaker& urls;
        ContentTypePolicy content_types;
        ContentInspector& inspector;
        fetch::Fetcher* fetcher = nullptr;       // Null: no media by URL.
        RenditionService* renditions = nullptr;  // Null: every file is delivered as it is.
        DeliverySettings delivery = {};
        Quota quota = {};  // Of a partner that has none of its own.
    };
    explicit MediaService(Parts parts) : parts_(parts) {}

    // The attachment, if this partner may send it now. reasons::attachment_not_found if it is
    // unknown or foreign, attachment_not_ready without its bytes, invalid_file_type if its
    // content is forbidden, content_type_mismatch if it is of another kind than was declared.
    Result<Sendable> sendable(meta::Session& session, PartnerId partner, AttachmentId id) const;
    // Inside the write that refers to it: looks again, with the same errors, and fixes the
    // content, so that a second upload is refused from here on (contract section 2.3).
    // reasons::state_conflict if there was one since `sendable` was found.
    Result<> mark_sent(meta::Session& session, const Sendable& sendable) const;

    // The same write, on a line whose own tier this is: the attachment's from now on. What is sent
    // from an ephemeral line becomes ephemeral, and its clock runs from its creation (contract
    // 10.9). reasons::state_conflict if that is 24 hours ago or more.
    Result<Tier> take_tier(meta::Session& session, const Sendable& sendable, Tier line) const;
    // Address and end of `media` as that tier has them.
    void show_tier(PartnerId partner, Tier tier, Time created_at, Media& media) const;

    // The form its recipient gets, made if need be (contract sections 2.6, 4 and 10.6). What
    // cannot be converted goes as it is where that is allowed; else reasons::invalid_file_type,
    // or for a voice memo reasons::unprocessable.
    Async<Media> prepare(const Sendable& sendable, Purpose purpose, MayConvert may_convert);
    // The same for what is staged.
    Async<> prepare(StagedMedia& staged, Purpose purpose, MayConvert may_convert);

    // Parts as they are now: those whose attachment is gone are left without it.
    Result<std::vector<Part>> resolve(meta::Session& session,
                                      const std::vector<meta::StoredPart>& parts) const;

    // Gives the media among `parts` URLs that hold for limits::signed_download_life from now.
    void sign_urls(PartnerId partner, std::vector<Part>& parts) const;
    // As it is now, whoever owns it; nullopt once it was deleted or has expired.
    Result<std::optional<Media>> find(meta::Session& session, const meta::StoredMedia& part) const;

    // Ours, by a download URL of our own; nullopt for any other URL.
    // reasons::attachment_not_found if it names what is not this partner's.
    Result<std::optional<AttachmentId>> own_reference(PartnerId partner,
                                                      std::string_view url) const;

    // Downloads a public URL. Contract section 3.4.
    Async<StagedMedia> stage_url(PartnerId partner, std::string url);
    // reasons::invalid_file_type for forbidden or infected content, reasons::file_too_large,
    // reasons::overloaded if it must be scanned and cannot be.
    Async<StagedMedia> stage(NewMedia media, MediaSource& source);
    // A copy of what was delivered, for another partner; nullopt if it is gone.
    Async<std::optional<StagedMedia>> stage_copy(meta::StoredMedia from, PartnerId to);
    // Inside the write that refers to it. What the partner asked for may fail as in admit(); what
    // came in never does (service/quota.hpp).
    Result<> keep(meta::Session& session, const StagedMedia& staged, Tier tier) const;
    Async<> confirm(const std::vector<StagedMedia>& staged);
    Async<> discard(const std::vector<StagedMedia>& staged);

private:
    Result<crypto::Key> key_of(const meta::AttachmentRow& row) const;
    Result<Media> describe(const meta::AttachmentRow& row,
                           const std::optional<meta::RenditionRow>& rendition = {}) const;
    Async<std::uint64_t> store(MediaSource& source, BlobId blob, const crypto::Key& key);
    Async<> settle_type(StagedMedia& staged, NewMedia& media, const crypto::Key& key);
    Parts parts_;
};

// The type a recipient gets (contract section 2.6), for types that are not transcoded.
std::string delivered_type(std::string_view content_type);

}  // namespace satchel
