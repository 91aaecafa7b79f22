// The master key of a store: where it comes from, and whether it fits.
#pragma once

#include "admin/metrics.hpp"
#include "app/config.hpp"
#include "crypto/key_ring.hpp"
#include "crypto/key_source.hpp"
#include "crypto/sigv4.hpp"
#include "service/key_rotation.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace satchel::app {

// A file, unless `command` has words.
std::unique_ptr<crypto::KeySource> make_key_source(const std::filesystem::path& file,
                                                   const std::vector<std::string>& command);

struct MasterKeys {
    std::unique_ptr<crypto::KeySource> source;
    crypto::KeyRing ring;
};
// A key file is made for a store that has nothing to decrypt yet. The error's `message` is one
// line for the operator.
Result<MasterKeys> open_keys(const Config& config);

// Whether a start would find its master key, or could make one, and the key fits the database.
// Writes nothing.
Result<> check_keys(const Config& config);

// What upload and download URLs are signed with.
crypto::sigv4::Credentials url_credentials(const crypto::Key& secret);
inline constexpr std::string_view url_secret_purpose = "upload-url-v1";
inline constexpr std::string_view demo_secret_purpose = "demo-api-key-v1";

void add_key_values(admin::Metrics& metrics, const KeyRotation& rotation);

}  // namespace satchel::app
