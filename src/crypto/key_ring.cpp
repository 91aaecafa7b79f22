#include "crypto/key_ring.hpp"

#include "base/bytes.hpp"
#include "base/random.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace satchel::crypto {
namespace {

constexpr std::string_view line_word = "satchel-master-key";
constexpr std::size_t file_bytes_max = 4096;
constexpr std::size_t check_bytes = 8;

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

// Text that held a key, wiped when destroyed.
struct SecretText {
    std::string text;
    SecretText() = default;
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
    ~SecretText() { OPENSSL_cleanse(text.data(), text.size()); }
};

std::string errno_text(int error) {
    return std::generic_category().message(error);
}

// One line for the operator: what is wrong with which file, and what to do.
std::unexpected<Error> refuse(Errc code,
                              const std::filesystem::path& file,
                              std::string_view what_to_do) {
    std::string line = "master key file ";
    for (const char c : file.string()) line += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    line += ' ';
    line += what_to_do;
    return std::unexpected(Error{code, nullptr, line, line});
}

std::string check_of(const Key& key) {
    const Key check = derive(key, "satchel key check v1", {});
    return to_hex(std::span(check.bytes).first(check_bytes));
}

struct KeyLine {
    std::uint32_t version = 0;
    Key key;
};

// "satchel-master-key VERSION BASE64 CHECK", single blanks between.
std::optional<KeyLine> parse_line(std::string_view line) {
    std::array<std::string_view, 4> words;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::size_t end = line.find(' ');
        if ((end == std::string_view::npos) != (i + 1 == words.size())) return std::nullopt;
        words[i] = line.substr(0, end);
        line.remove_prefix(std::min(line.size(), words[i].size() + 1));
    }
    if (words[0] != line_word) return std::nullopt;
    const auto version = parse_u64(words[1]);
    if (!version || *version == 0 || *version > std::numeric_limits<std::uint32_t>::max()) {
        return std::nullopt;
    }
    auto bytes = from_base64(words[2]);
    KeyLine out{.version = static_cast<std::uint32_t>(*version), .key = {}};
    if (!bytes || bytes->size() != out.key.bytes.size()) return std::nullopt;
    std::ranges::copy(*bytes, out.key.bytes.begin());
    OPENSSL_cleanse(bytes->data(), bytes->size());
    if (words[3] != check_of(out.key)) return std::nullopt;
    return out;
}

Result<> read_text(const std::filesystem::path& file, std::string& out) {
    // O_NONBLOCK: a FIFO in its place must not hang the start.
    const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (fd.get() < 0) {
        const int error = errno;
        if (error == ENOENT || error == ENOTDIR) {
            return refuse(Errc::not_found, file, "is missing: restore it from your copy");
        }
        if (error == EACCES || error == EPERM) {
            return refuse(Errc::permission_denied, file,
                          "cannot be read by this user: make that user its owner");
        }
        return refuse(Errc::unavailable, file, "cannot be opened: " + errno_text(error));
    }
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) {
        return refuse(Errc::unavailable, file, "cannot be examined: " + errno_text(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        return refuse(Errc::corrupt, file, "is not a regular file: name the key file itself");
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return refuse(Errc::permission_denied, file,
                      "is open to others than its owner: run chmod 600 on it");
    }
    out.resize(file_bytes_max + 1);
    std::size_t size = 0;
    while (size < out.size()) {
        const ssize_t n = ::read(fd.get(), out.data() + size, out.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            return refuse(Errc::unavailable, file, "cannot be read: " + errno_text(errno));
        }
        if (n == 0) break;
        size += static_cast<std::size_t>(n);
    }
    out.resize(size);
    return {};
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

int sync_folder(const std::filesystem::path& folder) {
    const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return errno;
    return ::fsync(fd.get()) == 0 ? 0 : errno;
}

// Writes `text` under a temporary name and links it to `file`, so that nobody sees half of it
// and nothing is replaced. Returns 0 or an errno.
int publish(const std::filesystem::path& file, std::string_view text) {
    std::array<std::byte, 8> suffix{};
    fill_random(suffix);
    std::filesystem::path temporary = file;
    temporary += ".new-" + to_hex(suffix);

    const Descriptor fd(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (fd.get() < 0) return errno;
    int error = ::fchmod(fd.get(), S_IRUSR | S_IWUSR) == 0 ? 0 : errno;
    if (error == 0) error = write_all_and_sync(fd.get(), text);
    if (error == 0 && ::link(temporary.c_str(), file.c_str()) != 0) error = errno;
    if (::unlink(temporary.c_str()) != 0 && error == 0) error = errno;
    if (error != 0) return error;
    return sync_folder(file.has_parent_path() ? file.parent_path() : ".");
}

std::array<std::byte, 4> version_bytes(std::uint32_t version) {
    std::array<std::byte, 4> out{};
    for (unsigned i = 0; i < 4; ++i) out[i] = static_cast<std::byte>(version >> (8 * i) & 0xFF);
    return out;
}

}  // namespace

Result<KeyRing> KeyRing::open(const std::filesystem::path& file) {
    SecretText content;
    CHECK(read_text(file, content.text));
    if (content.text.size() > file_bytes_max) {
        return refuse(Errc::corrupt, file, "is too long for a key file: restore it from your copy");
    }
    std::optional<KeyLine> found;
    std::string_view rest = content.text;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (line.empty() || line.starts_with('#')) continue;
        auto parsed = parse_line(line);
        if (!parsed) {
            return refuse(Errc::corrupt, file,
                          "is damaged or not a key file: restore it from your copy");
        }
        if (found) {
            return refuse(Errc::corrupt, file,
                          "holds several keys, which this release cannot use: install the "
                          "release that wrote it");
        }
        found = std::move(parsed);
    }
    if (!found) {
        return refuse(Errc::corrupt, file, "holds no key: restore it from your copy");
    }
    KeyRing ring;
    ring.version_ = found->version;
    ring.master_ = found->key;
    return ring;
}

Result<> KeyRing::create(const std::filesystem::path& file) {
    const Key key = Key::random();
    SecretText content;
    content.text.reserve(file_bytes_max);  // Never reallocated: no copy is left unwiped.
    content.text +=
        "# Satchel master key. Whoever has it can read every stored attachment; if it is lost,\n"
        "# every attachment is lost. Keep a copy in a safe place, apart from the data.\n";
    content.text += line_word;
    content.text += " 1 ";
    SecretText encoded;
    encoded.text = to_base64(key.bytes);
    content.text += encoded.text;
    content.text += ' ';
    content.text += check_of(key);
    content.text += '\n';

    const int error = publish(file, content.text);
    if (error == 0) return {};
    if (error == EEXIST) {
        return refuse(Errc::conflict, file, "exists already and is left as it is");
    }
    if (error == ENOENT || error == ENOTDIR) {
        return refuse(Errc::not_found, file, "cannot be made: its folder does not exist");
    }
    if (error == EACCES || error == EPERM || error == EROFS) {
        return refuse(Errc::permission_denied, file,
                      "cannot be made: let this user write to its folder");
    }
    return refuse(Errc::unavailable, file, "cannot be written: " + errno_text(error));
}

Bytes KeyRing::wrap_under(const Key& wrapping, const Key& key) const {
    return seal_once(wrapping, version_bytes(version_), key.bytes);
}

Result<Key> KeyRing::unwrap_under(const Key& wrapping,
                                  std::uint32_t version,
                                  ByteView wrapped) const {
    Key key;
    if (version != version_) {
        return fail(Errc::corrupt, "key wrapped under master key version " +
                                       std::to_string(version) + ", which is not in the key file");
    }
    if (wrapped.size() != key.bytes.size() + tag_bytes) {
        return fail(Errc::corrupt, "wrapped key has the wrong size");
    }
    TRY(Bytes opened, open_once(wrapping, version_bytes(version), wrapped));
    std::ranges::copy(opened, key.bytes.begin());
    OPENSSL_cleanse(opened.data(), opened.size());
    return key;
}

Bytes KeyRing::wrap(const AttachmentId& attachment, const Key& key) const {
    return wrap_under(derive(master_, "satchel wrap v1", attachment.bytes()), key);
}

Result<Key> KeyRing::unwrap(const AttachmentId& attachment,
                            std::uint32_t version,
                            ByteView wrapped) const {
    return unwrap_under(derive(master_, "satchel wrap v1", attachment.bytes()), version, wrapped);
}

Bytes KeyRing::wrap_text_key(const Key& key) const {
    return wrap_under(derive(master_, "satchel text key v1", {}), key);
}

Result<Key> KeyRing::unwrap_text_key(std::uint32_t version, ByteView wrapped) const {
    return unwrap_under(derive(master_, "satchel text key v1", {}), version, wrapped);
}

Key KeyRing::secret(std::string_view purpose) const {
    return derive(master_, "satchel secret v1", as_bytes(purpose));
}

Key name_key(const Key& attachment_key) {
    return derive(attachment_key, "satchel name v1", {});
}

Key blob_key(const Key& attachment_key, const BlobId& blob) {
    return derive(attachment_key, "satchel blob v1", blob.bytes());
}

}  // namespace satchel::crypto
