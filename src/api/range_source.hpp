// A response body made of texts and pieces of one blob.
#pragma once

#include "base/transfer_buffer.hpp"
#include "http/message.hpp"
#include "model/byte_range.hpp"
#include "service/open_downloads.hpp"

#include <optional>
#include <string>
#include <vector>

namespace satchel::api {

class RangeSource : public http::Source {
public:
    struct Segment {
        std::string text;  // Sent before the range.
        std::optional<ByteRange> range;
        std::uint64_t size() const { return text.size() + (range ? range->size() : 0); }
    };

    RangeSource(std::unique_ptr<DownloadReader> reader, std::vector<Segment> segments)
        : reader_(std::move(reader)), segments_(std::move(segments)) {}

    // Reads the first batch ahead, so that a file that cannot be read is still answered with an
    // error. Call before the first next(), at most once.
    Async<> prefetch();
    Async<> next(std::vector<ByteView>& pieces) override;
    const std::atomic<bool>* withdrawn() const override { return &reader_->withdrawn(); }

private:
    Async<> read_batch(std::vector<ByteView>& pieces);

    std::vector<ByteView> prefetched_;
    std::unique_ptr<DownloadReader> reader_;
    std::vector<Segment> segments_;
    std::size_t index_ = 0;     // The segment that is being sent,
    std::uint64_t offset_ = 0;  // and how much of its range is out.
    TransferBuffer buffer_;
};

}  // namespace satchel::api
