#include "base/transfer_buffer.hpp"

#include <atomic>
#include <vector>

namespace satchel {
namespace {

std::vector<std::unique_ptr<std::byte[]>>& kept() {
    thread_local std::vector<std::unique_ptr<std::byte[]>> buffers;
    return buffers;
}

std::atomic<std::size_t> in_use{0};

}  // namespace

bool TransferBuffer::all_taken() {
    return in_use.load(std::memory_order_relaxed) >= limits::transfers_max;
}

TransferBuffer::TransferBuffer() {
    ++in_use;
    if (auto& buffers = kept(); !buffers.empty()) {
        memory_ = std::move(buffers.back());
        buffers.pop_back();
    } else {
        memory_ = std::make_unique_for_overwrite<std::byte[]>(transfer_buffer_bytes);
    }
}

TransferBuffer::~TransferBuffer() {
    --in_use;
    if (memory_ && kept().size() < limits::transfer_buffers_kept_max) {
        kept().push_back(std::move(memory_));
    }
}

}  // namespace satchel
