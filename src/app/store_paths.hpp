// Where a store lies, for commands that need no server.
#pragma once

#include "app/admin_client.hpp"
#include "base/result.hpp"
#include "crypto/key_ring.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace satchel::app {

struct StorePaths {
    std::filesystem::path sqlite;
    std::filesystem::path blobs;
    std::filesystem::path master_key;
    std::vector<std::string> master_key_command;  // Empty: the file.
    std::filesystem::path folder;
};

// The error's `message` says how to name a store; Errc::not_found if there is no database.
Result<StorePaths> find_store(const ServerChoice& choice);

// The error's `message` is one line for the operator.
Result<crypto::KeyRing> read_keys(const StorePaths& paths);

}  // namespace satchel::app
