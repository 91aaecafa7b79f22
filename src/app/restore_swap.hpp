// Puts a staged store in the place of another so that a crash leaves neither half: what is to be
// renamed is written down first, and whoever comes next finishes it.
#pragma once

#include "app/store_paths.hpp"
#include "base/result.hpp"
#include "service/restore.hpp"

#include <filesystem>
#include <vector>

namespace satchel::app {

// Beside the store's own places, so that moving them is a rename.
StagedPaths staged_paths(const StorePaths& paths);

// Whether anything stands where the store is to be.
bool is_occupied(const StorePaths& paths);

// The caller has locked the folder, and `staged` is durable. What stood there is moved aside, to
// names ending in "replaced-" and `stamp`; those are returned.
Result<std::vector<std::filesystem::path>> swap_in(const StorePaths& paths,
                                                   const StagedPaths& staged,
                                                   const std::string& stamp);

// Does what an interrupted swap_in() has left to do. False: nothing.
Result<bool> finish_swap(const StorePaths& paths);

}  // namespace satchel::app
