// Where a store lies, for commands that need no server.
#pragma once

#include "app/admin_client.hpp"
#include "base/result.hpp"

#include <filesystem>

namespace satchel::app {

struct StorePaths {
    std::filesystem::path sqlite;
    std::filesystem::path blobs;
    std::filesystem::path master_key;
    std::filesystem::path folder;
};

// The error's `message` says how to name a store; Errc::not_found if there is no database.
Result<StorePaths> find_store(const ServerChoice& choice);

}  // namespace satchel::app
