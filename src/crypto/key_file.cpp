#include "crypto/key_file.hpp"

#include "base/bytes.hpp"
#include "base/descriptor.hpp"
#include "base/limits.hpp"
#include "base/random.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace satchel::crypto {
namespace {

namespace fs = std::filesystem;

std::string errno_text(int error) {
    return std::generic_category().message(error);
}

// Returns 0 or an errno.
int write_all_and_sync(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return ::fsync(fd) == 0 ? 0 : errno;
}

int sync_folder(const fs::path& folder) {
    const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return errno;
    return ::fsync(fd.number()) == 0 ? 0 : errno;
}

// A name beside `file` that nobody has, and what becomes of it.
class Temporary {
public:
    explicit Temporary(const fs::path& file) : name_(file) {
        std::array<std::byte, 8> suffix{};
        fill_random(suffix);
        name_ += ".new-" + to_hex(suffix);
    }
    ~Temporary() {
        if (is_there_) ::unlink(name_.c_str());
    }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;

    // Each returns 0 or an errno.
    int write(std::string_view text, const struct stat* like) {
        const Descriptor fd(
            ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
        if (!fd) return errno;
        is_there_ = true;
        if (::fchmod(fd.number(), S_IRUSR | S_IWUSR) != 0) return errno;
        const bool has_owner =
            like == nullptr || (like->st_uid == ::geteuid() && like->st_gid == ::getegid());
        if (!has_owner && ::fchown(fd.number(), like->st_uid, like->st_gid) != 0) return errno;
        return write_all_and_sync(fd.number(), text);
    }
    int link_to(const fs::path& file) const {
        if (::link(name_.c_str(), file.c_str()) != 0) return errno;
        if (::unlink(name_.c_str()) != 0) return errno;
        return sync_folder(file.has_parent_path() ? file.parent_path() : ".");
    }
    int rename_to(const fs::path& file) {
        if (::rename(name_.c_str(), file.c_str()) != 0) return errno;
        is_there_ = false;
        return sync_folder(file.has_parent_path() ? file.parent_path() : ".");
    }

private:
    fs::path name_;
    bool is_there_ = false;
};

}  // namespace

std::string KeyFile::name() const {
    std::string name = "master key file ";
    for (const char c : path_.string()) name += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    return name;
}

// One line for the operator: what is wrong with which file, and what to do.
std::unexpected<Error> KeyFile::refuse(Errc code, std::string_view what_to_do) const {
    const std::string line = name() + " " + std::string(what_to_do);
    return std::unexpected(Error{code, nullptr, line, line});
}

std::unexpected<Error> KeyFile::cannot(std::string_view what, int error) const {
    const std::string start = "cannot be " + std::string(what) + ": ";
    if (error == ENOENT || error == ENOTDIR) {
        return refuse(Errc::not_found, start + "its folder does not exist");
    }
    if (error == EACCES || error == EPERM || error == EROFS) {
        return refuse(Errc::permission_denied, start + "let this user write to its folder");
    }
    return refuse(Errc::unavailable, start + errno_text(error));
}

Result<> KeyFile::read_text(std::string& out) const {
    // O_NONBLOCK: a FIFO in its place must not hang the start.
    const Descriptor fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) {
        const int error = errno;
        if (error == ENOENT || error == ENOTDIR) {
            return refuse(Errc::not_found, "is missing: restore it from your copy");
        }
        if (error == EACCES || error == EPERM) {
            return refuse(Errc::permission_denied,
                          "cannot be read by this user: make that user its owner");
        }
        return refuse(Errc::unavailable, "cannot be opened: " + errno_text(error));
    }
    struct stat status{};
    if (::fstat(fd.number(), &status) != 0) {
        return refuse(Errc::unavailable, "cannot be examined: " + errno_text(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        return refuse(Errc::corrupt, "is not a regular file: name the key file itself");
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return refuse(Errc::permission_denied,
                      "is open to others than its owner: run chmod 600 on it");
    }
    out.resize(limits::master_key_text_bytes_max + 1);
    std::size_t size = 0;
    while (size < out.size()) {
        const ssize_t n = ::read(fd.number(), out.data() + size, out.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return refuse(Errc::unavailable, "cannot be read: " + errno_text(errno));
        if (n == 0) break;
        size += static_cast<std::size_t>(n);
    }
    out.resize(size);
    return {};
}

Result<KeyRing> KeyFile::read() {
    SecretText content;
    CHECK(read_text(content.text));
    auto keys = parse_master_keys(content.text);
    if (!keys) return refuse(Errc::corrupt, keys.error().message + ": restore it from your copy");
    return KeyRing(*std::move(keys), name());
}

// Linked, not renamed: nothing is replaced.
Result<> KeyFile::create() {
    SecretText content;
    content.text +=
        "# Satchel master key. Whoever has it can read every stored attachment; if it is lost,\n"
        "# every attachment is lost. Keep a copy in a safe place, apart from the data.\n";
    append_key_line(content, {.version = 1, .key = Key::random()});
    Temporary temporary(path_);
    int error = temporary.write(content.text, nullptr);
    if (error == 0) error = temporary.link_to(path_);
    if (error == 0) return {};
    if (error == EEXIST) return refuse(Errc::conflict, "exists already and is left as it is");
    return cannot("made", error);
}

Result<> KeyFile::replace(std::string_view text) const {
    // A link to the file stays a link.
    std::error_code failed;
    const fs::path target = fs::canonical(path_, failed);
    struct stat status{};
    if (failed || ::stat(target.c_str(), &status) != 0) {
        return cannot("replaced", failed ? failed.value() : errno);
    }
    Temporary temporary(target);
    int error = temporary.write(text, &status);
    if (error == 0) error = temporary.rename_to(target);
    if (error == 0) return {};
    if (error == EBUSY) {
        return refuse(Errc::permission_denied,
                      "cannot be replaced, because it is mounted by itself: change it where it "
                      "comes from, then run the command again");
    }
    return cannot("replaced", error);
}

Result<> KeyFile::add(const MasterKey& key) {
    SecretText content;
    CHECK(read_text(content.text));
    append_key_line(content, key);
    const auto keys = parse_master_keys(content.text);
    if (!keys) {
        return refuse(Errc::corrupt, "cannot take another version, with which it " +
                                         keys.error().message +
                                         ": satchel keys retire removes old versions");
    }
    return replace(content.text);
}

Result<> KeyFile::remove(std::uint32_t version) {
    SecretText content;
    CHECK(read_text(content.text));
    SecretText rest;
    append_without(rest, content.text, version);
    if (rest.text == content.text) return {};
    return replace(rest.text);
}

Result<KeyRing> KeyRing::open(const fs::path& file) {
    return KeyFile(file).read();
}

Result<> KeyRing::create(const fs::path& file) {
    return KeyFile(file).create();
}

}  // namespace satchel::crypto
