// Table text_key: the key of the texts in this database, wrapped under the master key.
#pragma once

#include "crypto/key_ring.hpp"
#include "meta/database.hpp"

#include <optional>

namespace satchel::meta {

// Nullopt if none was made yet. Errc::corrupt if it belongs to another master key.
Result<std::optional<crypto::Key>> find_text_key(Session& session, const crypto::KeyRing& keys);
// Wraps it under the newest version of `keys`, from whichever it was under. Nothing if there is
// none.
Result<> rewrap_text_key(Session& session, const crypto::KeyRing& keys);
// Errc::conflict if there is one already.
Result<> insert_text_key(Session& session, const crypto::KeyRing& keys, const crypto::Key& key);

}  // namespace satchel::meta
