// The folder where a server keeps its state, and the small files it leaves there.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace satchel::app {

// Holds a folder's lock until destroyed: one server at a time. The lock goes with the process,
// however it ends.
class FolderLock {
public:
    // Makes the folder (mode 0700) if it is absent. The error's `message` is one line for the
    // operator; Errc::conflict if another process has the lock.
    static Result<FolderLock> take(const std::filesystem::path& folder);

    FolderLock(FolderLock&& other) noexcept;
    FolderLock& operator=(FolderLock&& other) noexcept;
    ~FolderLock();

private:
    explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

// Replaces `file` with `content` in one step, mode 0600. Readers see the old or the new.
Result<> write_private_file(const std::filesystem::path& file, std::string_view content);

// How to reach the admin API of the server that runs on a folder.
struct AdminAccess {
    std::string url;
    std::string token;
};
inline constexpr std::string_view admin_file_name = "admin.json";
Result<> write_admin_file(const std::filesystem::path& folder, const AdminAccess& access);
// Errc::not_found if there is none.
Result<AdminAccess> read_admin_file(const std::filesystem::path& folder);
void remove_admin_file(const std::filesystem::path& folder);

}  // namespace satchel::app
