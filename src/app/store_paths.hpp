// Where a store lies, for commands that need no server.
#pragma once

#include "app/admin_client.hpp"
#include "base/result.hpp"
#include "crypto/key_ring.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::app {

struct StorePaths {
    std::filesystem::path sqlite;
    std::filesystem::path blobs;
    std::filesystem::path master_key;
    std::vector<std::string> master_key_command;  // Empty: the file.
    std::filesystem::path folder;
};

// Where a store lies or would lie.
Result<StorePaths> store_paths(const ServerChoice& choice);

// What a restore that was interrupted has left to be done in a data folder. Until it is done,
// nobody may use what is there.
inline constexpr std::string_view restore_file_name = "restore.json";
// Errc::conflict, with a line for the operator, if there is something to be done.
Result<> check_no_restore(const std::filesystem::path& folder);

// The error's `message` says how to name a store; Errc::not_found if there is no database.
Result<StorePaths> find_store(const ServerChoice& choice);

// The error's `message` is one line for the operator.
Result<crypto::KeyRing> read_keys(const StorePaths& paths);

}  // namespace satchel::app
