// Files that exist in memory alone (memfd): how bytes go into a jail and come out of it.
//
// Errors: Errc::unavailable when the system refuses (out of memory, of descriptors), with the
// call and its reason in `detail`. No call blocks for longer than copying takes.
#pragma once

#include "base/bytes.hpp"
#include "base/descriptor.hpp"
#include "base/result.hpp"

#include <cstdint>

namespace satchel::media {

// Empty, for reading and writing, sealable, closed on exec. `name` shows in /proc alone.
Result<Descriptor> make_memory_file(const char* name);

// Adds all of `bytes` at the end of what was appended so far.
Result<> append(const Descriptor& file, ByteView bytes);

// From here on nobody can change length or content by a descriptor, whoever holds one; the read
// position is at the beginning. Who had mapped the file for writing before still can: what a child
// made is sealed after the child has ended, and its mappings with it.
Result<> seal(const Descriptor& file);

bool is_sealed(const Descriptor& file);

// make_memory_file, append and seal.
Result<Descriptor> sealed_memory_file(const char* name, ByteView bytes);

Result<std::uint64_t> size_of(const Descriptor& file);

// Fills the front of `target` from `offset`; fewer bytes only at the end of the file.
Result<std::size_t> read_at(const Descriptor& file,
                            std::span<std::byte> target,
                            std::uint64_t offset);

}  // namespace satchel::media
