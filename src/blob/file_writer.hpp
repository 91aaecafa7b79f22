// Writes one blob into incoming/.
#pragma once

#include "blob/disk.hpp"
#include "blob/file_layout.hpp"
#include "blob/store.hpp"

namespace satchel::blob {

// `id` must be in `uncommitted`. The writer takes it out when the blob is committed, or when the
// file is gone: then nothing that open() can see is left at any moment.
class FileWriter final : public Writer {
public:
    FileWriter(Disk& disk,
               BlockingPool& pool,
               const FileLayout& layout,
               UncommittedBlobs& uncommitted,
               BlobId id,
               const crypto::Key& key);
    ~FileWriter() override;
    FileWriter(const FileWriter&) = delete;
    FileWriter& operator=(const FileWriter&) = delete;

    Async<> append(std::span<std::byte> bytes, Last last) override;
    Async<> commit() override;

private:
    // On the pool. One call at a time.
    Result<> store_frames(std::span<std::byte> bytes, Last last);
    Result<> make_durable();

    Result<> write_all(std::span<iovec> pieces);

    enum class State : std::uint8_t { writing, complete, committed, failed };

    Disk& disk_;
    BlockingPool& pool_;
    const FileLayout& layout_;
    UncommittedBlobs& uncommitted_;
    const BlobId id_;
    crypto::FrameCipher cipher_;
    State state_ = State::writing;
    File file_;  // Made by the first append().
    std::uint64_t next_frame_ = 0;
    std::uint64_t position_ = 0;
    std::uint64_t handed_to_kernel_ = 0;
};

}  // namespace satchel::blob
