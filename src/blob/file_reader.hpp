// Reads one blob from its file.
#pragma once

#include "blob/disk.hpp"
#include "blob/store.hpp"

namespace satchel::blob {

class FileReader final : public Reader {
public:
    // `file` is open and has the length and header that `size` and its id ask for.
    FileReader(
        Disk& disk, BlockingPool& pool, File file, const crypto::Key& key, std::uint64_t size);

    // On the caller's loop if the frames are in memory, else their reading goes to the pool.
    Async<Batch> read(std::uint64_t offset,
                      std::uint64_t length,
                      std::span<std::byte> buffer) override;

private:
    Result<Batch> decrypt(std::uint64_t offset, std::uint64_t length, std::span<std::byte> stored);

    Disk& disk_;
    BlockingPool& pool_;
    File file_;
    crypto::FrameCipher cipher_;
    const std::uint64_t size_;
};

// Fills `target`, waiting for the disk. Errc::corrupt if the file ends before.
Result<> read_whole(Disk& disk,
                    const File& file,
                    std::span<std::byte> target,
                    std::uint64_t offset);

}  // namespace satchel::blob
