// Whether what the metadata say about an attachment is true of its stored bytes.
#pragma once

#include "base/async.hpp"
#include "base/transfer_buffer.hpp"
#include "blob/store.hpp"
#include "crypto/key_ring.hpp"
#include "meta/attachments.hpp"
#include "meta/database.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace satchel {

struct StoredProblem {
    std::string kind;  // "missing_bytes", "corrupt_bytes", "corrupt_metadata".
    std::string detail;
};

// Told of the bytes that were read and authenticated, it may take its time. Its error ends the
// check with that error.
class Pace {
public:
    virtual ~Pace() = default;
    virtual Async<> after(std::size_t bytes) = 0;
};

// Used by one coroutine at a time.
class StoredCheck {
public:
    // `pace` may be null. All of it outlives the check.
    StoredCheck(meta::Database& database,
                blob::Store& blobs,
                const crypto::KeyRing& keys,
                Pace* pace = nullptr)
        : database_(database), blobs_(blobs), keys_(keys), pace_(pace) {}

    // Unwraps the key, opens the name, reads and authenticates every byte of content and
    // renditions. A row that looks wrong is read again first: a running server may have replaced
    // or deleted it. An error is what says nothing about the attachment.
    Async<std::optional<StoredProblem>> check(meta::AttachmentRow first_look);

    std::uint64_t bytes() const { return bytes_; }
    std::uint64_t blobs() const { return blobs_read_; }

private:
    using Verdict = std::optional<StoredProblem>;

    Async<Verdict> inspect(const meta::AttachmentRow& row);
    Async<Verdict> inspect_renditions(AttachmentId id, const crypto::Key& attachment_key);
    Async<Verdict> read_all(BlobId id, std::uint64_t size, const crypto::Key& attachment_key);

    meta::Database& database_;
    blob::Store& blobs_;
    const crypto::KeyRing& keys_;
    Pace* pace_;
    TransferBuffer buffer_;
    std::uint64_t bytes_ = 0;
    std::uint64_t blobs_read_ = 0;
};

}  // namespace satchel
