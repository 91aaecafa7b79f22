#include "tests/support/memory_blob_store.hpp"

#include <algorithm>
#include <map>
#include <mutex>

namespace satchel::test {
namespace {

// A blob, once committed. Readers share it, so that it outlives its removal.
struct Content {
    crypto::Key key;
    Bytes bytes;
};

}  // namespace

struct MemoryBlobStore::Blobs {
    struct Entry {
        std::shared_ptr<const Content> content;
        bool confirmed = false;
    };
    std::mutex mutex;
    std::map<BlobId, Entry> entries;
};

class MemoryBlobStore::MemoryWriter final : public blob::Writer {
public:
    MemoryWriter(MemoryBlobStore& store, BlobId id, const crypto::Key& key)
        : store_(store), id_(id), content_{key, {}} {}

    Async<> append(std::span<std::byte> bytes, blob::Last last) override {
        ASSERT(!bytes.empty() && bytes.size() <= limits::transfer_buffer_bytes);
        ASSERT(last == blob::Last::yes || bytes.size() % limits::frame_bytes == 0);
        ASSERT(!complete_);
        CO_CHECK(store_.next_call());
        content_.bytes.insert(content_.bytes.end(), bytes.begin(), bytes.end());
        std::ranges::fill(bytes, std::byte{0xDB});  // Garbage, as promised.
        complete_ = last == blob::Last::yes;
        co_return Result<>{};
    }

    Async<> commit() override {
        CO_CHECK(store_.next_call());
        ASSERT(complete_);
        const std::lock_guard lock(store_.blobs_->mutex);
        store_.blobs_->entries[id_] = {std::make_shared<const Content>(std::move(content_)), false};
        co_return Result<>{};
    }

private:
    MemoryBlobStore& store_;
    const BlobId id_;
    Content content_;
    bool complete_ = false;
};

class MemoryBlobStore::MemoryReader final : public blob::Reader {
public:
    MemoryReader(MemoryBlobStore& store,
                 std::shared_ptr<const Content> content,
                 const crypto::Key& key)
        : store_(store), content_(std::move(content)), key_(key) {}

    Async<blob::Batch> read(std::uint64_t offset,
                            std::uint64_t length,
                            std::span<std::byte> buffer) override {
        const ByteView bytes = content_->bytes;
        ASSERT(length > 0 && offset < bytes.size() && length <= bytes.size() - offset);
        CO_CHECK(store_.next_call());
        if (key_.bytes != content_->key.bytes) co_return fail(Errc::corrupt, "another key");
        blob::Batch batch;
        while (batch.count < batch.pieces.size() && batch.bytes < length) {
            const auto at = static_cast<std::size_t>(offset) + batch.bytes;
            const std::size_t to_frame_end = limits::frame_bytes - at % limits::frame_bytes;
            const auto size = static_cast<std::size_t>(
                std::min<std::uint64_t>(to_frame_end, length - batch.bytes));
            const auto piece = buffer.first(size);
            buffer = buffer.subspan(size);
            std::ranges::copy(bytes.subspan(at, size), piece.begin());
            batch.pieces[batch.count++] = piece;
            batch.bytes += size;
        }
        co_return batch;
    }

private:
    MemoryBlobStore& store_;
    const std::shared_ptr<const Content> content_;
    const crypto::Key key_;
};

MemoryBlobStore::MemoryBlobStore() : blobs_(std::make_unique<Blobs>()) {}
MemoryBlobStore::~MemoryBlobStore() = default;

bool MemoryBlobStore::failed() const {
    return fail_at >= 0 && calls_ > fail_at;
}

Result<> MemoryBlobStore::next_call() {
    if (calls_++ == fail_at) return fail(Errc::unavailable, "asked to fail");
    return {};
}

Async<std::unique_ptr<blob::Writer>> MemoryBlobStore::create(BlobId id, const crypto::Key& key) {
    CO_CHECK(next_call());
    co_return std::make_unique<MemoryWriter>(*this, id, key);
}

Async<std::unique_ptr<blob::Reader>> MemoryBlobStore::open(BlobId id,
                                                           const crypto::Key& key,
                                                           std::uint64_t size) {
    CO_CHECK(next_call());
    const std::lock_guard lock(blobs_->mutex);
    const auto found = blobs_->entries.find(id);
    if (found == blobs_->entries.end()) co_return fail(Errc::not_found, "no such blob");
    const auto& content = found->second.content;
    if (content->bytes.size() != size) co_return fail(Errc::corrupt, "another size");
    co_return std::make_unique<MemoryReader>(*this, content, key);
}

Async<> MemoryBlobStore::remove(BlobId id) {
    CO_CHECK(next_call());
    const std::lock_guard lock(blobs_->mutex);
    blobs_->entries.erase(id);
    co_return Result<>{};
}

Task<std::vector<Result<>>> MemoryBlobStore::remove_each(std::vector<BlobId> ids) {
    std::vector<Result<>> answers;
    for (const BlobId id : ids) answers.push_back(co_await remove(id));
    co_return answers;
}

Async<> MemoryBlobStore::sync_removals() {
    co_return next_call();
}

Async<> MemoryBlobStore::confirm(BlobId id) {
    CO_CHECK(next_call());
    const std::lock_guard lock(blobs_->mutex);
    const auto found = blobs_->entries.find(id);
    if (found == blobs_->entries.end()) co_return fail(Errc::not_found, "no such blob");
    found->second.confirmed = true;
    co_return Result<>{};
}

Async<std::vector<BlobId>> MemoryBlobStore::unconfirmed() {
    CO_CHECK(next_call());
    const std::lock_guard lock(blobs_->mutex);
    std::vector<BlobId> ids;
    for (const auto& [id, entry] : blobs_->entries) {
        if (!entry.confirmed) ids.push_back(id);
    }
    co_return ids;
}

Async<blob::Store::Listing> MemoryBlobStore::list() {
    CO_CHECK(next_call());
    const std::lock_guard lock(blobs_->mutex);
    Listing listing;
    for (const auto& [id, entry] : blobs_->entries) {
        if (entry.confirmed) listing.blobs.push_back(id);
    }
    co_return listing;
}

Async<> MemoryBlobStore::probe() {
    co_return next_call();
}

}  // namespace satchel::test
