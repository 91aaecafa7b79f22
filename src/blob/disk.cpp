#include "blob/disk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace satchel::blob {
namespace {

std::unexpected<Error> failed(std::string_view call) {
    const int reason = errno;
    const Errc code = reason == ENOENT   ? Errc::not_found
                      : reason == EEXIST ? Errc::conflict
                                         : Errc::unavailable;
    return fail(code, std::string(call) + ": " + std::generic_category().message(reason));
}

// Repeats a call that a signal interrupted.
template <class Call>
auto uninterrupted(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

constexpr int read_flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW;

struct FolderCloser {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

class PosixDisk final : public Disk {
public:
    Result<File> open(const std::string& path) override {
        // Only the owner may ask for O_NOATIME. Without it the first read of a file writes.
        int descriptor = open_for_reading(path, O_NOATIME);
        if (descriptor < 0 && errno == EPERM) descriptor = open_for_reading(path, 0);
        if (descriptor < 0) return failed("open");
        return File(descriptor);
    }

    Result<std::optional<File>> open_cached(const std::string& path) override {
        open_how how{};
        how.flags = read_flags | O_NOATIME;
        how.resolve = RESOLVE_CACHED;
        const long descriptor = ::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how);
        if (descriptor >= 0) return File(static_cast<int>(descriptor));
        if (errno == ENOENT) return failed("open");
        // Not in memory, an old kernel, a filter that forbids it, or a failure that open() names.
        return std::nullopt;
    }

    Result<File> create(const std::string& path) override {
        const int descriptor = uninterrupted([&] {
            return ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        });
        if (descriptor < 0) return failed("create");
        return File(descriptor);
    }

    Result<std::uint64_t> size(const File& file) override {
        struct stat status{};
        if (::fstat(file.descriptor(), &status) != 0) return failed("fstat");
        return static_cast<std::uint64_t>(status.st_size);
    }

    Result<std::size_t> read(const File& file,
                             std::span<std::byte> target,
                             std::uint64_t offset) override {
        const ssize_t count = uninterrupted([&] {
            return ::pread(file.descriptor(), target.data(), target.size(),
                           static_cast<off_t>(offset));
        });
        if (count < 0) return failed("read");
        return static_cast<std::size_t>(count);
    }

    Result<std::size_t> read_cached(const File& file,
                                    std::span<std::byte> target,
                                    std::uint64_t offset) override {
        const iovec piece{target.data(), target.size()};
        const ssize_t count =
            ::preadv2(file.descriptor(), &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
        // Not in memory, no such ability, or a failure that read() names.
        return count < 0 ? 0 : static_cast<std::size_t>(count);
    }

    Result<std::size_t> write(const File& file,
                              std::span<const iovec> pieces,
                              std::uint64_t offset) override {
        const ssize_t count = uninterrupted([&] {
            return ::pwritev(file.descriptor(), pieces.data(), static_cast<int>(pieces.size()),
                             static_cast<off_t>(offset));
        });
        if (count < 0) return failed("write");
        if (count == 0) return fail(Errc::unavailable, "write: nothing written");
        return static_cast<std::size_t>(count);
    }

    Result<> start_writeback(const File& file,
                             std::uint64_t offset,
                             std::uint64_t length) override {
        const int result = ::sync_file_range(file.descriptor(), static_cast<off64_t>(offset),
                                             static_cast<off64_t>(length), SYNC_FILE_RANGE_WRITE);
        if (result != 0 && errno != ENOSYS && errno != ESPIPE && errno != EINVAL) {
            return failed("sync_file_range");
        }
        return {};
    }

    // A sync that fails is never tried again: the kernel may have dropped the pages by then.
    Result<> sync_data(const File& file) override {
        if (uninterrupted([&] { return ::fdatasync(file.descriptor()); }) != 0) {
            return failed("fdatasync");
        }
        return {};
    }

    Result<> rename(const std::string& from, const std::string& to) override {
        if (std::rename(from.c_str(), to.c_str()) != 0) return failed("rename");
        return {};
    }

    Result<> unlink(const std::string& path) override {
        if (::unlink(path.c_str()) != 0) return failed("unlink");
        return {};
    }

    Result<> sync_folder(const std::string& path) override {
        const File folder(uninterrupted(
            [&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
        if (!folder) return failed("open folder");
        if (uninterrupted([&] { return ::fsync(folder.descriptor()); }) != 0) {
            return failed("fsync folder");
        }
        return {};
    }

    Result<> make_folder(const std::string& path) override {
        if (::mkdir(path.c_str(), 0700) != 0) return failed("mkdir");
        return {};
    }

    Result<std::vector<FolderEntry>> list(const std::string& path) override {
        const std::unique_ptr<DIR, FolderCloser> folder(::opendir(path.c_str()));
        if (!folder) return failed("open folder");
        std::vector<FolderEntry> entries;
        for (;;) {
            errno = 0;
            // Each stream is used by one thread only.
            const dirent* entry = ::readdir(folder.get());  // NOLINT(concurrency-mt-unsafe)
            if (entry == nullptr) break;
            const std::string_view name = entry->d_name;
            if (name == "." || name == "..") continue;
            entries.push_back({std::string(name), is_folder(folder.get(), *entry)});
        }
        if (errno != 0) return failed("read folder");
        return entries;
    }

private:
    static int open_for_reading(const std::string& path, int more_flags) {
        return uninterrupted([&] { return ::open(path.c_str(), read_flags | more_flags); });
    }

    static bool is_folder(DIR* folder, const dirent& entry) {
        if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
        struct stat status{};
        return ::fstatat(::dirfd(folder), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
               S_ISDIR(status.st_mode);
    }
};

}  // namespace

File::~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::unique_ptr<Disk> make_posix_disk() {
    return std::make_unique<PosixDisk>();
}

}  // namespace satchel::blob
