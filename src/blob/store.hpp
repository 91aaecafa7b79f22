// Stores immutable byte strings, encrypted at rest. Stored form: docs/formats/blob.md.
//
// A blob is written once. It can be opened when commit() has returned a value, whole and
// durable, and never changes after that. Before that, and whenever a writer is destroyed
// without a commit, a crash or a destructor leaves nothing that open() can see.
//
// Metadata decides which blobs exist. Between commit() and the metadata transaction that refers
// to a blob it is "unconfirmed"; the caller confirms it after the transaction, and at start-up
// goes through unconfirmed(): confirm what a row refers to, remove the rest. So a crash leaves
// no stray, and no start-up has to list the whole store.
#pragma once

#include "base/async.hpp"
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "crypto/frame_cipher.hpp"
#include "model/ids.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace satchel::blob {

using crypto::Last;

class Writer {
public:
    virtual ~Writer() = default;
    // Takes the next bytes: a whole number of frames (limits::frame_bytes), at most
    // limits::frames_per_batch, except that the call with Last::yes may end anywhere but must
    // not be empty. Encrypts in place: the content of `bytes` is garbage afterwards.
    // Errc::unavailable when the disk is full or fails; the writer is then of no more use.
    virtual Async<> append(std::span<std::byte> bytes, Last last) = 0;
    // Makes the blob durable. Call once, after append(..., Last::yes).
    virtual Async<> commit() = 0;
};

// Part of a blob's content, as pieces inside the buffer that was passed to read().
struct Batch {
    std::array<ByteView, limits::frames_per_batch> pieces;
    std::size_t count = 0;
    std::size_t bytes = 0;
};

// What read() needs to hold limits::frames_per_batch frames with their tags.
inline constexpr std::size_t read_buffer_bytes =
    limits::frames_per_batch * (limits::frame_bytes + crypto::tag_bytes);

class Reader {
public:
    virtual ~Reader() = default;
    // The bytes [offset, offset + n) with 0 < n <= length, as many as whole frames in `buffer`
    // (read_buffer_bytes) allow. offset + length must not pass the blob's size.
    // Errc::corrupt if a frame fails authentication or the stored form is not what it must be:
    // no byte of such a frame is ever handed out.
    virtual Async<Batch> read(std::uint64_t offset,
                              std::uint64_t length,
                              std::span<std::byte> buffer) = 0;
};

// Usable from every loop at once; a Writer or Reader from one at a time.
class Store {
public:
    virtual ~Store() = default;
    // `key` must belong to this blob alone (crypto::blob_key).
    virtual Async<std::unique_ptr<Writer>> create(BlobId id, const crypto::Key& key) = 0;
    // `size` is the content's size from the metadata. Errc::not_found if there is no such blob;
    // Errc::corrupt if its stored size or header does not fit.
    virtual Async<std::unique_ptr<Reader>> open(BlobId id,
                                                const crypto::Key& key,
                                                std::uint64_t size) = 0;
    // Removing what is absent succeeds. The bytes cannot be opened any more when this returns;
    // durable after sync_removals(). Readers that are open keep their bytes.
    virtual Async<> remove(BlobId id) = 0;
    // remove() for each of several, for work that nobody waits for: others have the core in
    // between. As many answers as `ids`, in their order.
    virtual Task<std::vector<Result<>>> remove_each(std::vector<BlobId> ids) = 0;
    virtual Async<> sync_removals() = 0;

    // Confirming what is confirmed already succeeds. Errc::not_found if there is no such blob.
    virtual Async<> confirm(BlobId id) = 0;
    virtual Async<std::vector<BlobId>> unconfirmed() = 0;

    // Every confirmed blob, in any order; for checks, not for the request path. What is written
    // or removed meanwhile may or may not be seen. `unknown` gets the names of things in the
    // store that are no blobs.
    struct Listing {
        std::vector<BlobId> blobs;
        std::vector<std::string> unknown;
    };
    virtual Async<Listing> list() = 0;

    // Answers whether the store can take and give bytes now.
    virtual Async<> probe() = 0;
};

}  // namespace satchel::blob
