// A master key of a test's own.
#pragma once

#include "crypto/key_ring.hpp"
#include "tests/support/temp_folder.hpp"

namespace satchel::test {

inline crypto::KeyRing new_master_key() {
    const TempFolder folder;
    const auto file = folder.path() / "master.key";
    ASSERT(crypto::KeyRing::create(file));
    return *crypto::KeyRing::open(file);
}

}  // namespace satchel::test
