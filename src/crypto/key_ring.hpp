// The master key and what hangs from it. File format: docs/formats/keys.md.
//
// Every attachment has a random key of its own. It is stored only wrapped: sealed under a key
// derived from the master key and the attachment's id.
#pragma once

#include "base/result.hpp"
#include "crypto/key.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace satchel::crypto {

// Immutable after open(); usable from every thread.
class KeyRing {
public:
    // Reads a master key file. Errc::not_found if it is absent; Errc::permission_denied if
    // others than its owner may read it; Errc::corrupt if it is not a key file. The error's
    // `message` is one line for the operator that names the file and what to do.
    static Result<KeyRing> open(const std::filesystem::path& file);

    // Writes a new random key, mode 0600, durable when it returns. Never replaces a file.
    static Result<> create(const std::filesystem::path& file);

    // The version wrap() uses. Stored beside each wrapped key.
    std::uint32_t version() const { return version_; }

    Bytes wrap(const AttachmentId& attachment, const Key& key) const;
    // Errc::corrupt if the bytes were changed, belong to another attachment or to a master key
    // that is not in this ring.
    Result<Key> unwrap(const AttachmentId& attachment,
                       std::uint32_t version,
                       ByteView wrapped) const;

    // The same for the random key of one database's texts (TextCipher).
    Bytes wrap_text_key(const Key& key) const;
    Result<Key> unwrap_text_key(std::uint32_t version, ByteView wrapped) const;

    // A secret for one purpose, the same for the life of the master key:
    // "upload-url-v1", "demo-api-key-v1".
    Key secret(std::string_view purpose) const;

private:
    KeyRing() = default;
    Bytes wrap_under(const Key& wrapping, const Key& key) const;
    Result<Key> unwrap_under(const Key& wrapping, std::uint32_t version, ByteView wrapped) const;

    std::uint32_t version_ = 0;
    Key master_;
};

// The keys below one attachment's key.
Key name_key(const Key& attachment_key);                      // Seals the file name.
Key blob_key(const Key& attachment_key, const BlobId& blob);  // Encrypts one blob's frames.

}  // namespace satchel::crypto
