// A database without what was once removed from it.
#pragma once

#include "base/result.hpp"

#include <filesystem>

namespace satchel::meta {

// Writes what the tables of `file` hold to the new file `to`, and nothing that was removed from
// them ever, wherever the engine has left a copy of it. Not durable. This process has had `file`
// open before (open_sqlite), and nobody has it open now. Errc::conflict if `to` is there.
Result<> rewrite_sqlite(const std::filesystem::path& file, const std::filesystem::path& to);

}  // namespace satchel::meta
