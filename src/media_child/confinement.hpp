// The walls around a decoder. docs/adr/0012-media-jail.md says what each is for.
#pragma once

#include <cstdint>

namespace satchel::media {

// Once, for the zygote and all its children, while it has one thread: a user and a network
// namespace of its own, no capabilities. The walls that stand (jail::Wall).
std::uint32_t confine_zygote();

struct JobBounds {
    std::uint64_t memory_bytes = 0;
    std::uint64_t output_bytes = 0;
    std::uint32_t cpu_seconds = 0;
};

// In the child of one job, before it reads its input; cannot be undone. The walls that it adds.
std::uint32_t confine_job(const JobBounds& bounds);

// 0: the kernel has none.
std::uint32_t landlock_abi();

}  // namespace satchel::media
