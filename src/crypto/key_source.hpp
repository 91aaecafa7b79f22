// Where the master key comes from. Calls block, on files and processes.
//
// Errors' `message` is one line for the operator that names the source and what to do.
#pragma once

#include "crypto/key_ring.hpp"
#include "crypto/master_key_text.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace satchel::crypto {

// Used by one thread at a time.
class KeySource {
public:
    virtual ~KeySource() = default;
    KeySource() = default;
    KeySource(const KeySource&) = delete;
    KeySource& operator=(const KeySource&) = delete;

    // "master key file /etc/satchel/master.key"
    virtual std::string name() const = 0;

    // Errc::not_found if a file is absent; Errc::permission_denied if it is not for its owner
    // alone, or a program may not be run; Errc::corrupt if it is no master key;
    // Errc::timed_out, Errc::unavailable for what cannot be read.
    virtual Result<KeyRing> read() = 0;

    // Whether add() and remove() can do anything. If not, whoever fills the source does.
    virtual bool is_writable() const = 0;
    // Both are durable when they return, and leave the source as it was if they fail. The version
    // to add is higher than all that are there; the one to remove may be gone.
    virtual Result<> add(const MasterKey& key) = 0;
    virtual Result<> remove(std::uint32_t version) = 0;
};

}  // namespace satchel::crypto
