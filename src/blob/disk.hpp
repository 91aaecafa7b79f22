// The narrow seam over the file calls of FileStore: tests replace it to make calls fail and to
// forget what was not made durable.
//
// Errors: Errc::not_found if a name is absent, Errc::conflict if a new name is taken already,
// Errc::unavailable for everything else (full, failing, not allowed); `detail` has the call and
// the system's reason. Usable from every thread.
#pragma once

#include "base/result.hpp"

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace satchel::blob {

// An open file; closed when destroyed.
class File {
public:
    File() = default;
    explicit File(int descriptor) : descriptor_(descriptor) {}
    ~File();
    File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    File& operator=(File&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    int descriptor() const { return descriptor_; }
    explicit operator bool() const { return descriptor_ >= 0; }

private:
    int descriptor_ = -1;
};

struct FolderEntry {
    std::string name;
    bool is_folder = false;
};

class Disk {
public:
    virtual ~Disk() = default;

    // For reading. Does not follow a symbolic link in the last place.
    virtual Result<File> open(const std::string& path) = 0;
    // As open(), if that needs nothing but memory; else nullopt at once.
    virtual Result<std::optional<File>> open_cached(const std::string& path) = 0;
    // A new, empty file of mode 0600, for writing and reading.
    virtual Result<File> create(const std::string& path) = 0;
    virtual Result<std::uint64_t> size(const File& file) = 0;

    // Reads a prefix of `target`; 0 only at the end of the file.
    virtual Result<std::size_t> read(const File& file,
                                     std::span<std::byte> target,
                                     std::uint64_t offset) = 0;
    // Reads as much of it as is in memory without waiting for the disk; possibly nothing.
    virtual Result<std::size_t> read_cached(const File& file,
                                            std::span<std::byte> target,
                                            std::uint64_t offset) = 0;
    // Writes a prefix of `pieces`, at least one byte, and answers its length.
    virtual Result<std::size_t> write(const File& file,
                                      std::span<const iovec> pieces,
                                      std::uint64_t offset) = 0;
    // Lets the kernel begin to write [offset, offset + length) back. Promises nothing.
    virtual Result<> start_writeback(const File& file,
                                     std::uint64_t offset,
                                     std::uint64_t length) = 0;
    // Makes content and size durable, the name not.
    virtual Result<> sync_data(const File& file) = 0;

    // Replaces `to`. A crash leaves the file under one of the two names.
    virtual Result<> rename(const std::string& from, const std::string& to) = 0;
    virtual Result<> unlink(const std::string& path) = 0;
    // Makes the names in a folder durable, and those that have gone from it.
    virtual Result<> sync_folder(const std::string& path) = 0;
    // Mode 0700.
    virtual Result<> make_folder(const std::string& path) = 0;
    // In any order, without "." and "..".
    virtual Result<std::vector<FolderEntry>> list(const std::string& path) = 0;
};

std::unique_ptr<Disk> make_posix_disk();

}  // namespace satchel::blob
