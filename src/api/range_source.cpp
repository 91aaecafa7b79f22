#include "api/range_source.hpp"

#include "base/log.hpp"

#include <utility>

namespace satchel::api {

static_assert(transfer_buffer_bytes >= blob::read_buffer_bytes);

Async<> RangeSource::prefetch() {
    return read_batch(prefetched_);
}

Async<> RangeSource::next(std::vector<ByteView>& pieces) {
    if (!prefetched_.empty()) {
        pieces = std::exchange(prefetched_, {});
        co_return Result<>{};
    }
    co_return co_await read_batch(pieces);
}

Async<> RangeSource::read_batch(std::vector<ByteView>& pieces) {
    if (index_ == segments_.size()) co_return Result<>{};
    Segment& segment = segments_[index_];
    if (offset_ == 0 && !segment.text.empty()) pieces.push_back(as_bytes(segment.text));
    if (!segment.range) {
        ++index_;
        co_return Result<>{};
    }
    const std::uint64_t left = segment.range->size() - offset_;
    const auto batch =
        co_await reader_->read(segment.range->first + offset_, left, buffer_.bytes());
    if (!batch) {
        if (!reader_->withdrawn())
            log::error("download_failed", {{"detail", batch.error().detail}});
        co_return std::unexpected(batch.error());
    }
    pieces.insert(pieces.end(), batch->pieces.begin(),
                  batch->pieces.begin() + static_cast<std::ptrdiff_t>(batch->count));
    offset_ += batch->bytes;
    if (offset_ == segment.range->size()) {
        offset_ = 0;
        ++index_;
    }
    co_return Result<>{};
}

}  // namespace satchel::api
