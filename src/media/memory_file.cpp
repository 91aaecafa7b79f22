#include "media/memory_file.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <string>

namespace satchel::media {
namespace {

// Not F_SEAL_WRITE, which also waits for the kernel to let go of every page: up to 160 ms, and then
// it fails.
constexpr int seals = F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

std::unexpected<Error> refused(const char* call) {
    return fail(Errc::unavailable, std::string(call) + ": " + std::strerror(errno));
}

}  // namespace

Result<Descriptor> make_memory_file(const char* name) {
    Descriptor file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) return refused("memfd_create");
    return file;
}

Result<> append(const Descriptor& file, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return refused("write to a memory file");
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Result<> seal(const Descriptor& file) {
    if (::fcntl(file.number(), F_ADD_SEALS, seals) != 0) return refused("sealing a memory file");
    if (::lseek(file.number(), 0, SEEK_SET) != 0) return refused("lseek");
    return {};
}

bool is_sealed(const Descriptor& file) {
    const int standing = ::fcntl(file.number(), F_GET_SEALS);
    return standing >= 0 && (standing & seals) == seals;
}

Result<Descriptor> sealed_memory_file(const char* name, ByteView bytes) {
    TRY(Descriptor file, make_memory_file(name));
    CHECK(append(file, bytes));
    CHECK(seal(file));
    return file;
}

Result<std::uint64_t> size_of(const Descriptor& file) {
    struct stat status{};
    if (::fstat(file.number(), &status) != 0) return refused("fstat");
    return static_cast<std::uint64_t>(status.st_size);
}

Result<std::size_t> read_at(const Descriptor& file,
                            std::span<std::byte> target,
                            std::uint64_t offset) {
    std::size_t filled = 0;
    while (filled < target.size()) {
        const ssize_t got = ::pread(file.number(), target.data() + filled, target.size() - filled,
                                    static_cast<off_t>(offset + filled));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return refused("pread of a memory file");
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    return filled;
}

}  // namespace satchel::media
