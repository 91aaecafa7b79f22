// A stored blob as content to look at, scan or convert.
#pragma once

#include "base/transfer_buffer.hpp"
#include "blob/store.hpp"
#include "media/content.hpp"

#include <memory>

namespace satchel {

// Used by one coroutine at a time. read_at() has the errors of blob::Reader::read().
class StoredContent final : public media::Content {
public:
    StoredContent(std::unique_ptr<blob::Reader> reader, std::uint64_t size)
        : reader_(std::move(reader)), size_(size) {}

    std::uint64_t size() const override { return size_; }
    Async<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;

private:
    std::unique_ptr<blob::Reader> reader_;
    std::uint64_t size_;
    TransferBuffer buffer_;
};

}  // namespace satchel
