// The settings of a server: a TOML file, and the environment over it. Every key is described in
// docs/operations/configuration.md and satchel.example.toml.
//
// A key SECTION.NAME is the environment variable SATCHEL_SECTION__NAME in upper case.
#pragma once

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "model/quota.hpp"
#include "service/content_inspector.hpp"
#include "service/delivery_form.hpp"
#include "service/edge_purges.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace satchel::app {

// Where a listener stands: an IPv4 or IPv6 literal and a port.
struct Endpoint {
    std::string address;
    std::uint16_t port = 0;

    std::string text() const;  // 127.0.0.1:8780, [::1]:8780
    bool is_loopback() const;
    bool operator==(const Endpoint&) const = default;
};
std::optional<Endpoint> parse_endpoint(std::string_view text);

// Where a ClamAV daemon listens: a Unix socket's path, or else an address.
struct ClamdPlace {
    std::string path;
    Endpoint address;
    bool operator==(const ClamdPlace&) const = default;
};

struct Config {
    struct ServerSection {
        Endpoint listen{"127.0.0.1", 8780};
        std::string tls_cert;  // PEM file; empty: plain HTTP.
        std::string tls_key;
        // Bases of the URLs handed out, without a trailing slash. Empty: made from the listener.
        std::string public_api_url;
        std::string public_upload_url;
        std::string public_cdn_url;
        bool behind_tls_proxy = false;
        std::string cors_origin;  // "*", one origin, or empty: no CORS.
        std::size_t connections_max = limits::connections_max;
        CallRates call_rates;  // Of each partner that has none of its own.
        unsigned threads = 0;  // 0: one a core.
        // From one line to one recipient; 0: no limit.
        unsigned messages_per_minute = limits::messages_per_pair_max;
    } server;
    Quota quota;  // Of each partner that has none of its own.
    struct AdminSection {
        Endpoint listen{"127.0.0.1", 8781};
        std::string token;  // Empty: a new one at every start.
    } admin;
    struct MetadataSection {
        std::filesystem::path sqlite;
    } metadata;
    struct BlobsSection {
        std::filesystem::path local;
    } blobs;
    struct EncryptionSection {
        std::filesystem::path master_key_file;
        std::vector<std::string> master_key_command;  // Program and arguments; empty: a file.
    } encryption;
    struct MediaSection {
        bool accept_webp_and_svg = false;
        bool accept_former_types = true;
        DeliverySettings delivery;
        bool previews = false;
        std::filesystem::path program;  // satchel-media; empty: beside this program.
        std::optional<ClamdPlace> clamd;
        WithoutScanner without_clamd = WithoutScanner::refuse;
    } media;
    // Media URLs and webhook targets.
    struct FetchSection {
        bool allow_http = false;
        bool allow_private_addresses = false;
        std::string ca_file;  // PEM; empty: the system's.
    } fetch;
    // Where messages leave.
    enum class GatewayKind : std::uint8_t { sandbox, http };
    struct GatewaySection {
        GatewayKind kind = GatewayKind::sandbox;
        std::string url;      // Of the carrier's bridge.
        std::string secret;   // whsec_...
        std::string ca_file;  // PEM; empty: the system's.
    } gateway;
    // The scrubber, which reads everything that is stored now and then.
    struct IntegritySection {
        std::uint32_t scrub_mib_per_second = 16;         // 0: it does not run.
        std::uint32_t scrub_interval_seconds = 604'800;  // From the end of a pass to the next.
    } integrity;
    // A CDN or a caching proxy in front of the downloads.
    struct EdgeSection {
        std::uint32_t cache_seconds = 60;  // How long its copy may outlive a deletion.
        EdgeSettings purge;                // Empty URL: it is not told of deletions.
        std::string ca_file;               // PEM; empty: the system's.
    } edge;
    // How long things stay that nobody deletes. 0: for good.
    struct RetentionSection {
        std::uint32_t messages_days = 0;
        std::uint32_t audit_days = 0;
        std::uint32_t idempotency_key_days = 0;
        bool removes_media = false;  // What came in with a message, or by URL, goes with it.
    } retention;
    struct LogSection {
        log::Level level = log::Level::info;
    } log;

    // Where the lock and admin.json stand: the folder of the database file.
    std::filesystem::path data_folder() const;
    bool has_tls() const { return !server.tls_cert.empty(); }
};

// Environment variables by name, in any order.
using Environment = std::vector<std::pair<std::string, std::string>>;
Environment process_environment();

// `base` with the file's settings over it and the environment's over those. Relative paths in
// the file are meant from the file's folder, those in the environment from the working folder.
// The error's `message` is one line that names the file and line, or the variable, and what is
// accepted. Secrets do not appear in it.
Result<Config> load_config(Config base,
                           const std::optional<std::filesystem::path>& file,
                           const Environment& environment);

}  // namespace satchel::app
