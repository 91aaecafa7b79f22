// Which blobs are being downloaded, so that a deletion ends what reads them.
//
// As many entries as there are downloads: about limits::transfers_max. One costs an insertion and
// a removal in a small tree, under the lock of one of many shards.
#pragma once

#include "base/async.hpp"
#include "blob/store.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

namespace satchel {

class DownloadReader;

// Usable from every thread. Outlives its readers.
class OpenDownloads {
public:
    // Ends every download of the blob: from here on its reader gives nothing more, and who sends
    // what it gave sees withdrawn(). Those that begin later are none of its business.
    void withdraw(BlobId blob);
    // Downloads that were ended so.
    std::uint64_t withdrawn() const { return withdrawn_.load(std::memory_order_relaxed); }

private:
    friend class DownloadReader;
    struct Shard {
        std::mutex mutex;
        std::set<std::pair<BlobId, DownloadReader*>> readers;
    };
    static constexpr std::size_t shard_count = 16;

    Shard& shard_of(BlobId blob) { return shards_[IdHash()(blob) % shard_count]; }

    std::array<Shard, shard_count> shards_;
    std::atomic<std::uint64_t> withdrawn_ = 0;
};

// Reads a blob until it is withdrawn.
class DownloadReader final : public blob::Reader {
public:
    // Announces the download. Nothing can be read before begin().
    DownloadReader(OpenDownloads& downloads, BlobId blob);
    ~DownloadReader() override;
    DownloadReader(const DownloadReader&) = delete;
    DownloadReader& operator=(const DownloadReader&) = delete;

    void begin(std::unique_ptr<blob::Reader> reader) { reader_ = std::move(reader); }

    // As blob::Reader, and reasons::attachment_not_found once the blob is withdrawn.
    Async<blob::Batch> read(std::uint64_t offset,
                            std::uint64_t length,
                            std::span<std::byte> buffer) override;
    // Turns true on whatever thread deletes, and stays so.
    const std::atomic<bool>& withdrawn() const { return withdrawn_; }

private:
    friend class OpenDownloads;
    OpenDownloads& downloads_;
    const BlobId blob_;
    std::unique_ptr<blob::Reader> reader_;
    std::atomic<bool> withdrawn_ = false;
};

}  // namespace satchel
