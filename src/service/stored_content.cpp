#include "service/stored_content.hpp"

#include <algorithm>
#include <cstring>

namespace satchel {

Async<std::size_t> StoredContent::read_at(std::uint64_t offset, std::span<std::byte> into) {
    std::size_t filled = 0;
    while (filled < into.size() && offset < size_) {
        const auto want = std::min<std::uint64_t>(size_ - offset, into.size() - filled);
        CO_TRY(const blob::Batch batch, co_await reader_->read(offset, want, buffer_.bytes()));
        for (const ByteView piece : std::span(batch.pieces).first(batch.count)) {
            std::memcpy(into.data() + filled, piece.data(), piece.size());
            filled += piece.size();
        }
        offset += batch.bytes;
    }
    co_return filled;
}

}  // namespace satchel
