#include "app/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

namespace satchel::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view lock_file_name = "lock";

std::unexpected<Error> failed(Errc code, std::string message) {
    Error error;
    error.code = code;
    error.message = std::move(message);
    return std::unexpected(std::move(error));
}

std::unexpected<Error> cannot(std::string_view what, const fs::path& path, int number) {
    return failed(Errc::unavailable, "cannot " + std::string(what) + " " + path.string() + ": " +
                                         std::strerror(number) +
                                         "; check the path and its permissions");
}

Result<> write_all(int descriptor, std::string_view content, const fs::path& path) {
    while (!content.empty()) {
        const ssize_t n = ::write(descriptor, content.data(), content.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot("write", path, errno);
        content.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

Result<> make_folder(const fs::path& folder) {
    std::error_code error;
    if (fs::is_directory(folder, error)) return {};
    const fs::path parent = folder.has_filename() ? folder.parent_path() : fs::path();
    if (!parent.empty()) fs::create_directories(parent, error);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        return cannot("make the folder", folder, errno);
    }
    return {};
}

std::string holder_of(int descriptor) {
    std::string text(32, '\0');
    const ssize_t n = ::pread(descriptor, text.data(), text.size(), 0);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    while (text.ends_with('\n')) text.pop_back();
    return text.empty() ? std::string() : " (process " + text + ")";
}

}  // namespace

Result<FolderLock> FolderLock::take(const fs::path& folder) {
    CHECK(make_folder(folder));
    const fs::path file = folder / lock_file_name;
    FolderLock lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (lock.descriptor_ < 0) return cannot("open", file, errno);
    while (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return cannot("lock", file, errno);
        return failed(Errc::conflict, folder.string() + " is in use by another satchel" +
                                          holder_of(lock.descriptor_) +
                                          "; stop it or choose another folder");
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock.descriptor_, 0) != 0) return cannot("write", file, errno);
    CHECK(write_all(lock.descriptor_, pid, file));
    return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

FolderLock::~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<> write_private_file(const fs::path& file, std::string_view content) {
    const fs::path temporary = file.string() + ".new";
    ::unlink(temporary.c_str());
    const int descriptor =
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return cannot("write", file, errno);
    auto written = write_all(descriptor, content, file);
    if (::close(descriptor) != 0 && written) written = cannot("write", file, errno);
    if (written && ::rename(temporary.c_str(), file.c_str()) != 0) {
        written = cannot("write", file, errno);
    }
    if (!written) ::unlink(temporary.c_str());
    return written;
}

Result<> write_admin_file(const fs::path& folder, const AdminAccess& access) {
    const boost::json::object content{{"url", access.url}, {"token", access.token}};
    return write_private_file(folder / admin_file_name, boost::json::serialize(content) + "\n");
}

Result<AdminAccess> read_admin_file(const fs::path& folder) {
    const fs::path file = folder / admin_file_name;
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        return failed(errno == EACCES ? Errc::permission_denied : Errc::not_found,
                      "cannot read " + file.string());
    }
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    boost::system::error_code error;
    const auto value = boost::json::parse(text, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* url = object ? object->if_contains("url") : nullptr;
    const auto* token = object ? object->if_contains("token") : nullptr;
    if (!url || !token || !url->is_string() || !token->is_string()) {
        return failed(Errc::corrupt,
                      file.string() + " is not what a running server writes; start it again");
    }
    return AdminAccess{std::string(url->get_string()), std::string(token->get_string())};
}

void remove_admin_file(const fs::path& folder) {
    ::unlink((folder / admin_file_name).c_str());
}

}  // namespace satchel::app
