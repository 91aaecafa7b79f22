// Random bytes from the kernel, fit for keys. Thread-safe; never fails (a kernel without
// getrandom is a broken invariant).
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace satchel {

void fill_random(std::span<std::byte> target);

// 32 lower-case hex digits, never all zero: a W3C trace-id.
std::string random_trace_id();

}  // namespace satchel
