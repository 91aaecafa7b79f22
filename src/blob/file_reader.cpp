#include "blob/file_reader.hpp"

#include "blob/file_format.hpp"

#include <algorithm>

namespace satchel::blob {

FileReader::FileReader(
    Disk& disk, BlockingPool& pool, File file, const crypto::Key& key, std::uint64_t size)
    : disk_(disk), pool_(pool), file_(std::move(file)), cipher_(key), size_(size) {}

Async<Batch> FileReader::read(std::uint64_t offset,
                              std::uint64_t length,
                              std::span<std::byte> buffer) {
    ASSERT(length > 0 && offset < size_ && length <= size_ - offset);
    const std::uint64_t first = offset / limits::frame_bytes;
    const std::uint64_t last =
        std::min((offset + length - 1) / limits::frame_bytes, first + limits::frames_per_batch - 1);
    const std::uint64_t begin = frame_position(first);
    const std::uint64_t end = std::min(frame_position(last + 1), stored_size(size_));
    ASSERT(end - begin <= buffer.size());
    const std::span<std::byte> stored = buffer.first(static_cast<std::size_t>(end - begin));

    CO_TRY(const std::size_t cached, disk_.read_cached(file_, stored, begin));
    if (cached < stored.size()) {
        CO_CHECK(co_await run_blocking(pool_, [this, stored, begin, cached] {
            return read_whole(disk_, file_, stored.subspan(cached), begin + cached);
        }));
    }
    co_return decrypt(offset, length, stored);
}

Result<Batch> FileReader::decrypt(std::uint64_t offset,
                                  std::uint64_t length,
                                  std::span<std::byte> stored) {
    const std::uint64_t last_frame = frame_count(size_) - 1;
    std::uint64_t index = offset / limits::frame_bytes;
    auto skip = static_cast<std::size_t>(offset % limits::frame_bytes);
    Batch batch;
    for (; !stored.empty(); ++index, skip = 0) {
        const auto frame = stored.first(std::min(stored_frame_bytes, stored.size()));
        stored = stored.subspan(frame.size());
        const auto text = frame.first(frame.size() - crypto::tag_bytes);
        CHECK(cipher_.open(index, index == last_frame ? Last::yes : Last::no, text,
                           frame.last<crypto::tag_bytes>()));
        const auto wanted = static_cast<std::size_t>(
            std::min<std::uint64_t>(text.size() - skip, length - batch.bytes));
        batch.pieces[batch.count++] = text.subspan(skip, wanted);
        batch.bytes += wanted;
    }
    return batch;
}

Result<> read_whole(Disk& disk,
                    const File& file,
                    std::span<std::byte> target,
                    std::uint64_t offset) {
    while (!target.empty()) {
        TRY(const std::size_t count, disk.read(file, target, offset));
        if (count == 0) return fail(Errc::corrupt, "the file ends too early");
        target = target.subspan(count);
        offset += count;
    }
    return {};
}

}  // namespace satchel::blob
