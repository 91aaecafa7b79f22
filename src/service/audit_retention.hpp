// Cuts the beginning of the deletion audit that is older than it has to be kept.
#pragma once

#include "base/async.hpp"
#include "meta/database.hpp"

#include <cstddef>

namespace satchel {

// Removes up to limits::audit_cut_batch_max entries made before `before`, never the last one;
// returns how many. What is removed is verified first: Errc::corrupt if the chain is broken
// there, and nothing is removed, so that no damage is cut away with what shows it.
Async<std::size_t> cut_audit(meta::Database& database, Time before, Time now);

}  // namespace satchel
