// The master key, in one or several versions, and what hangs from it. Format: docs/formats/keys.md.
//
// Every attachment has a random key of its own. It is stored only wrapped: sealed under a key
// derived from the master key and the attachment's id.
#pragma once

#include "base/result.hpp"
#include "crypto/key.hpp"
#include "crypto/master_key_text.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace satchel::crypto {

// A wrapped key and the version of the master key that opens it; stored together.
struct WrappedKey {
    std::uint32_t version = 0;
    Bytes bytes;
};

// Usable from every thread. Only take() changes it.
class KeyRing {
public:
    // A key file's, as KeyFile::read(); and a new file with a new key, as KeyFile::create().
    static Result<KeyRing> open(const std::filesystem::path& file);
    static Result<> create(const std::filesystem::path& file);

    // `keys`: at least one, versions ascending. `origin` names where they come from, in messages.
    KeyRing(std::vector<MasterKey> keys, std::string origin);
    KeyRing(KeyRing&& other) noexcept;
    KeyRing& operator=(KeyRing&& other) noexcept;
    ~KeyRing();

    // The version that wraps: the newest.
    std::uint32_t version() const;
    // Every version, ascending, with its check.
    struct Version {
        std::uint32_t version = 0;
        KeyCheck check{};
    };
    std::vector<Version> versions() const;
    std::optional<KeyCheck> check(std::uint32_t version) const;
    const std::string& origin() const;

    // From here on this ring holds the keys of `other`, too, and wraps under the newest. Those
    // that it has stay: what was read before may still be to unwrap.
    void take(const KeyRing& other);

    WrappedKey wrap(const AttachmentId& attachment, const Key& key) const;
    // Errc::corrupt if the bytes were changed, belong to another attachment or to a master key
    // that is not in this ring.
    Result<Key> unwrap(const AttachmentId& attachment,
                       std::uint32_t version,
                       ByteView wrapped) const;

    // The same for the random key of one database (docs/formats/keys.md: the text key).
    WrappedKey wrap_text_key(const Key& key) const;
    Result<Key> unwrap_text_key(std::uint32_t version, ByteView wrapped) const;

    // What databases of before derived from the master key itself, newest version first.
    std::vector<Key> former_secrets(std::string_view purpose) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// The keys below one attachment's key.
Key name_key(const Key& attachment_key);                      // Seals the file name.
Key blob_key(const Key& attachment_key, const BlobId& blob);  // Encrypts one blob's frames.

// A secret for one purpose, the same for the life of the database: "upload-url-v1".
Key secret_of(const Key& text_key, std::string_view purpose);

}  // namespace satchel::crypto
