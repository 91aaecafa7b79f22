// Table text_key: the key of the texts in this database, wrapped under the master key.
#pragma once

#include "crypto/key_ring.hpp"
#include "meta/database.hpp"

#include <optional>

namespace satchel::meta {

// Nullopt if none was made yet. Errc::corrupt, with a line for the operator in `message`, if it
// belongs to another master key.
Result<std::optional<crypto::Key>> find_text_key(Session& session, const crypto::KeyRing& keys);
// Errc::conflict if there is one already.
Result<> insert_text_key(Session& session, const crypto::KeyRing& keys, const crypto::Key& key);

}  // namespace satchel::meta
