// Blobs as files below one folder. Stored form and folders: docs/formats/blob.md.
//
// Needs a file system on which a rename survives a crash whole or not at all (ext4, XFS, Btrfs,
// ZFS). One process at a time may write to a folder.
#pragma once

#include "blob/disk.hpp"
#include "blob/file_layout.hpp"
#include "blob/store.hpp"

#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace satchel::blob {

// Whatever may wait for the disk runs on the pool. Opening and reading what is in memory does
// not leave the caller's loop.
class FileStore final : public Store {
public:
    // Makes `root` (not its parents) and what belongs into it. Blocks. `pool` and `disk` must
    // outlive the store, and the store its writers and readers. Errc::unavailable.
    static Result<std::unique_ptr<Store>> open(const std::filesystem::path& root,
                                               BlockingPool& pool,
                                               Disk& disk);

    Async<std::unique_ptr<Writer>> create(BlobId id, const crypto::Key& key) override;
    Async<std::unique_ptr<Reader>> open(BlobId id,
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
    FileStore(std::string root, BlockingPool& pool, Disk& disk)
        : layout_{std::move(root)}, pool_(pool), disk_(disk) {}

    // All of these run on the pool.
    Result<File> open_waiting(BlobId id, std::uint64_t size);
    Result<> remove_file(BlobId id);
    std::vector<Result<>> remove_files(const std::vector<BlobId>& ids);
    Result<> sync_touched_folders();
    Result<> confirm_file(BlobId id);
    Result<std::vector<BlobId>> list_incoming();
    Result<> write_and_read_back();

    // The file if it can be opened and verified from memory alone.
    std::optional<File> open_from_memory(BlobId id, std::uint64_t size);

    const FileLayout layout_;
    BlockingPool& pool_;
    Disk& disk_;
    UncommittedBlobs uncommitted_;

    std::mutex touched_mutex_;
    std::set<std::string> touched_folders_;  // A name has gone from them since the last sync.
    std::mutex sync_mutex_;                  // Held while the ones taken out are synced.
};

}  // namespace satchel::blob
