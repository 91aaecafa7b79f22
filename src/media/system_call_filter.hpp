// What a jailed program may not ask of the kernel, beyond what namespaces withhold.
#pragma once

#include "base/descriptor.hpp"
#include "base/result.hpp"

namespace satchel::media {

// A memory file with a seccomp program for `bwrap --seccomp`, to be read once. It refuses new
// processes (threads are allowed), leaving the session, and the kernel's doors that no decoder
// needs: sockets, namespaces, mounts, ptrace, bpf, io_uring, keys and the like.
// Errors: as memory_file.hpp says.
Result<Descriptor> make_system_call_filter();

}  // namespace satchel::media
