#include "base/random.hpp"

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace satchel {
namespace {

void fill_from_kernel(std::span<std::byte> target) {
    while (!target.empty()) {
        const ssize_t n = getrandom(target.data(), target.size(), 0);
        if (n < 0 && errno == EINTR) continue;
        ASSERT(n > 0);
        target = target.subspan(static_cast<std::size_t>(n));
    }
}

// Saves a system call for each of the many small requests. Bytes are wiped as they are handed
// out.
struct Reserve {
    std::array<std::byte, 1024> bytes{};
    std::size_t left = 0;
};

}  // namespace

void fill_random(std::span<std::byte> target) {
    thread_local Reserve reserve;
    if (target.size() > 64) {
        fill_from_kernel(target);
        return;
    }
    if (reserve.left < target.size()) {
        fill_from_kernel(reserve.bytes);
        reserve.left = reserve.bytes.size();
    }
    const auto from = std::span(reserve.bytes).subspan(reserve.left - target.size(), target.size());
    std::ranges::copy(from, target.begin());
    std::ranges::fill(from, std::byte{});
    reserve.left -= target.size();
}

std::string random_trace_id() {
    std::array<std::byte, 16> bytes{};
    fill_random(bytes);
    bytes[0] |= std::byte{1};  // All zero is not a trace-id.
    return to_hex(bytes);
}

}  // namespace satchel
