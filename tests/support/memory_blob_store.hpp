// A blob store in memory, for tests of what lies above it. It keeps blobs in clear; everything
// else is as blob/store.hpp says, and blob/store_suite.hpp holds it to that.
#pragma once

#include "blob/store.hpp"

#include <atomic>
#include <memory>

namespace satchel::test {

class MemoryBlobStore final : public blob::Store {
public:
    MemoryBlobStore();
    ~MemoryBlobStore() override;

    // The call of the store, its writers or its readers with this number (from 0, counted since
    // the store was made) answers Errc::unavailable and does nothing. Negative: none does.
    std::atomic<int> fail_at{-1};
    // The next call is the one that fails.
    void fail_next() { fail_at = calls_.load(); }
    // Whether that call has come.
    bool failed() const;

    Async<std::unique_ptr<blob::Writer>> create(BlobId id, const crypto::Key& key) override;
    Async<std::unique_ptr<blob::Reader>> open(BlobId id,
                                              const crypto::Key& key,
                                              std::uint64_t size) override;
    Async<> remove(BlobId id) override;
    Task<std::vector<Result<>>> remove_each(std::vector<BlobId> ids) override;
    Async<> sync_removals() override;
    Async<> confirm(BlobId id) override;
    Async<std::vector<BlobId>> unconfirmed() override;
    Async<Listing> list() override;
    Async<> probe() override;

private:
    class MemoryWriter;
    class MemoryReader;
    struct Blobs;
    Result<> next_call();

    std::atomic<int> calls_{0};
    const std::unique_ptr<Blobs> blobs_;
};

}  // namespace satchel::test
