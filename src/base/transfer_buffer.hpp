// The buffer of one upload or download while it runs. A thread keeps a few for reuse, so that
// small transfers pay no allocation and idle connections hold none.
#pragma once

#include "base/limits.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace satchel {

// limits::frames_per_batch frames, each with room for its authentication tag.
inline constexpr std::size_t transfer_buffer_bytes =
    limits::transfer_buffer_bytes + limits::frames_per_batch * 16;

class TransferBuffer {
public:
    TransferBuffer();
    ~TransferBuffer();
    TransferBuffer(const TransferBuffer&) = delete;
    TransferBuffer& operator=(const TransferBuffer&) = delete;

    // Whether limits::transfers_max buffers are in use: whoever begins a transfer asks first.
    static bool all_taken();

    std::span<std::byte> bytes() { return {memory_.get(), transfer_buffer_bytes}; }

private:
    std::unique_ptr<std::byte[]> memory_;
};

}  // namespace satchel
