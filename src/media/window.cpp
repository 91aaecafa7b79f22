#include "media/window.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace satchel::media {
namespace {

// The part of `bytes`, which begin at `start`, that is asked for; empty if some of it is outside.
ByteView part_of(ByteView bytes, std::uint64_t start, std::uint64_t offset, std::size_t length) {
    if (offset < start || offset - start > bytes.size()) return {};
    const auto from = static_cast<std::size_t>(offset - start);
    if (bytes.size() - from < length) return {};
    return bytes.subspan(from, length);
}

}  // namespace

Async<Window> Window::open(Content& content) {
    Window window(content);
    window.head_.resize(std::min<std::uint64_t>(content.size(), limits::detect_head_bytes));
    if (!window.head_.empty()) {
        CO_TRY(const std::size_t count, co_await content.read_at(0, window.head_));
        window.head_.resize(std::min(count, window.head_.size()));
    }
    co_return window;
}

ByteView Window::in_memory(std::uint64_t offset, std::size_t length) const {
    const ByteView found = part_of(head_, 0, offset, length);
    return found.empty() ? part_of(page_, page_offset_, offset, length) : found;
}

Async<ByteView> Window::at(std::uint64_t offset, std::size_t length) {
    if (offset >= size()) co_return ByteView{};
    const std::uint64_t rest = size() - offset;
    const auto wanted = static_cast<std::size_t>(
        std::min<std::uint64_t>(rest, std::min(length, limits::detect_page_bytes)));
    if (const ByteView found = in_memory(offset, wanted); !found.empty()) co_return found;

    const auto count = static_cast<std::size_t>(
        std::min<std::uint64_t>(rest, std::max(wanted, limits::detect_read_ahead_bytes)));
    if (reads_ == limits::detect_reads_max || count > limits::detect_bytes_max - bytes_read_) {
        co_return ByteView{};
    }
    ++reads_;
    bytes_read_ += count;
    page_.resize(count);
    page_offset_ = offset;
    CO_TRY(const std::size_t filled, co_await content_->read_at(offset, page_));
    page_.resize(std::min(filled, count));
    co_return ByteView(page_).first(std::min(page_.size(), wanted));
}

}  // namespace satchel::media
