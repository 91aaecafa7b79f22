// Looks at places in a content, within the limits of detection.
#pragma once

#include "base/async.hpp"
#include "base/bytes.hpp"
#include "media/content.hpp"

#include <cstddef>
#include <cstdint>

namespace satchel::media {

class Window {
public:
    // Reads the head. `content` must outlive the window.
    static Async<Window> open(Content& content);

    std::uint64_t size() const { return content_->size(); }
    // The first limits::detect_head_bytes, or all. Valid as long as the window.
    ByteView head() const { return head_; }
    bool head_is_all() const { return head_.size() == size(); }

    // The bytes [offset, offset + length) as far as there are any: fewer at the content's end or
    // beyond limits::detect_page_bytes, none when detect_reads_max or detect_bytes_max are used
    // up. Valid until the next call. Errors: those of the content.
    Async<ByteView> at(std::uint64_t offset, std::size_t length);

private:
    explicit Window(Content& content) : content_(&content) {}
    // What is in memory already of [offset, offset + length); empty if not all of it is.
    ByteView in_memory(std::uint64_t offset, std::size_t length) const;

    Content* content_;
    Bytes head_;
    Bytes page_;
    std::uint64_t page_offset_ = 0;
    std::size_t reads_ = 0;
    std::size_t bytes_read_ = 0;
};

}  // namespace satchel::media
