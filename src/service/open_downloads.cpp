#include "service/open_downloads.hpp"

#include "model/api_errors.hpp"

namespace satchel {

void OpenDownloads::withdraw(BlobId blob) {
    Shard& shard = shard_of(blob);
    const std::lock_guard lock(shard.mutex);
    auto each = shard.readers.lower_bound({blob, nullptr});
    for (; each != shard.readers.end() && each->first == blob; ++each) {
        const bool was_withdrawn = each->second->withdrawn_.exchange(true);
        if (!was_withdrawn) ++withdrawn_;
    }
}

DownloadReader::DownloadReader(OpenDownloads& downloads, BlobId blob)
    : downloads_(downloads), blob_(blob) {
    OpenDownloads::Shard& shard = downloads_.shard_of(blob_);
    const std::lock_guard lock(shard.mutex);
    shard.readers.emplace(blob_, this);
}

DownloadReader::~DownloadReader() {
    OpenDownloads::Shard& shard = downloads_.shard_of(blob_);
    const std::lock_guard lock(shard.mutex);
    shard.readers.erase({blob_, this});
}

Async<blob::Batch> DownloadReader::read(std::uint64_t offset,
                                        std::uint64_t length,
                                        std::span<std::byte> buffer) {
    ASSERT(reader_ != nullptr);
    if (withdrawn_) co_return fail(reasons::attachment_not_found);
    auto batch = co_await reader_->read(offset, length, buffer);
    if (withdrawn_) co_return fail(reasons::attachment_not_found);
    co_return batch;
}

}  // namespace satchel
