#include "app/key_work.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "crypto/key_command.hpp"
#include "crypto/key_file.hpp"
#include "meta/sqlite.hpp"

#include <utility>

namespace satchel::app {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> lost(const Config& config) {
    Error error;
    error.code = Errc::not_found;
    error.message = "the master key " + config.encryption.master_key_file.string() +
                    " is missing, but " + config.metadata.sqlite.string() +
                    " exists and cannot be read without it; restore the key from a backup";
    return std::unexpected(std::move(error));
}

bool has_database(const Config& config) {
    std::error_code error;
    return fs::exists(config.metadata.sqlite, error) || error;
}

}  // namespace

std::unique_ptr<crypto::KeySource> make_key_source(const fs::path& file,
                                                   const std::vector<std::string>& command) {
    if (command.empty()) return std::make_unique<crypto::KeyFile>(file);
    return std::make_unique<crypto::KeyCommand>(
        crypto::KeyCommand::Options{.words = command, .wait_max = limits::key_command_wait_max});
}

Result<MasterKeys> open_keys(const Config& config) {
    auto source =
        make_key_source(config.encryption.master_key_file, config.encryption.master_key_command);
    auto keys = source->read();
    if (keys) return MasterKeys{std::move(source), *std::move(keys)};
    if (keys.error().code != Errc::not_found || !source->is_writable()) {
        return std::unexpected(std::move(keys).error());
    }
    if (has_database(config)) return lost(config);
    const fs::path& file = config.encryption.master_key_file;
    std::error_code error;
    if (!file.parent_path().empty()) fs::create_directories(file.parent_path(), error);
    CHECK(crypto::KeyRing::create(file));
    TRY(crypto::KeyRing made, source->read());
    return MasterKeys{std::move(source), std::move(made)};
}

Result<> check_keys(const Config& config) {
    const auto source =
        make_key_source(config.encryption.master_key_file, config.encryption.master_key_command);
    const auto keys = source->read();
    const bool may_be_made = !keys && keys.error().code == Errc::not_found && source->is_writable();
    if (may_be_made) return has_database(config) ? Result<>(lost(config)) : Result<>();
    if (!keys) return std::unexpected(keys.error());
    if (!has_database(config)) return {};
    const auto opened = meta::open_sqlite(
        {.file = config.metadata.sqlite, .access = meta::Access::read_only, .keys = &*keys});
    // A start brings an older schema up to date.
    if (!opened && opened.error().code == Errc::corrupt) return std::unexpected(opened.error());
    return {};
}

crypto::sigv4::Credentials url_credentials(const crypto::Key& secret) {
    return {"satchel", to_base64url(secret.bytes), "local"};
}

void add_key_values(admin::Metrics& metrics, const KeyRotation& rotation) {
    metrics.gauge("satchel_master_key_version", "Version of the master key that wraps new keys.",
                  [&rotation] { return static_cast<double>(rotation.progress().version); });
    metrics.gauge("satchel_keys_to_rewrap",
                  "Attachments still to look at, at most, until all are under that version.",
                  [&rotation] { return static_cast<double>(rotation.progress().remaining); });
    metrics.gauge("satchel_keys_damaged",
                  "Attachments whose key could not be unwrapped when re-wrapping ended.",
                  [&rotation] { return static_cast<double>(rotation.progress().damaged); });
}

}  // namespace satchel::app
