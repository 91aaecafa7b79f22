// The one place that opens a connection to an address a client named: media URLs and webhook
// targets. Decision: docs/adr/0009-fetch.md.
//
// A name is resolved once a hop; every address is checked against the IANA special-purpose
// registries in the moment its socket is made, and the connection goes to the checked address,
// with the name kept for TLS. Redirects are followed by us (get) or not at all (post), and checked
// again. No credentials, no cookies, no proxy, no decompression, no scheme or port but those
// configured.
#pragma once

#include "base/async.hpp"
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "fetch/address_rules.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace satchel::fetch {

struct Policy {
    bool allow_http = false;               // fetch.allow_http
    bool allow_private_addresses = false;  // fetch.allow_private_addresses
    // Empty: the scheme's own, and any if private addresses are allowed.
    std::vector<std::uint16_t> ports;
    std::string ca_file;                       // PEM. Empty: the system's.
    std::size_t parallel_per_partner_max = 8;  // Gets; further ones wait their turn.
    std::chrono::milliseconds connect_max = limits::outbound_connect_max;
    // Gets: how long nothing may come once connected.
    std::chrono::milliseconds idle_max = limits::outbound_idle_max;
    int redirects_max = limits::outbound_redirects_max;  // Gets.
};

// Why a fetch failed, for the caller to choose an error by.
enum class Failure : std::uint8_t {
    none,
    bad_url,      // Not an URL we may open: scheme, port, credentials, address; a redirect to one.
    unreachable,  // Name, connection, TLS, or an answer cut short.
    bad_status,   // An answer, but not 200 with the file as it is: also one with a content coding.
    too_large,
    timed_out,
    too_many_redirects,
    busy,  // The partner's line is full, or its turn did not come before total_max.
};

struct GetRequest {
    std::string url;
    std::string partner;  // Whose share of the parallel fetches this takes.
    std::uint64_t bytes_max = 0;
    std::chrono::milliseconds total_max{};  // From the call to the last byte, waiting included.
};
struct Fetched {
    Failure failure = Failure::none;
    std::string detail;        // For the log. Without the URL.
    int status = 0;            // 0: no answer.
    std::string content_type;  // As answered; may be empty.
    std::string final_url;     // In normal form, without fragment.
    Bytes body;                // At most bytes_max. Empty on failure.
};

struct PostRequest {
    std::string method = "POST";  // Any other goes out as a post of that name. Our own text.
    std::string url;
    std::string partner;
    // Nothing is added but Host, Content-Length, Accept and, if absent, User-Agent.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::chrono::milliseconds total_max{};
    std::size_t answer_bytes_max = 0;  // How much of the answer's body is kept.
};
struct Posted {
    Failure failure = Failure::none;  // A status is no failure, even if the answer's body breaks.
    std::string detail;
    int status = 0;
    std::string body;  // As it came, cut after answer_bytes_max.
};

// Usable from every loop; answers on the caller's. Posts have their own, wider share: they wait
// for receivers, not for bytes.
//
// An Error is never the other side's doing: Errc::unavailable when cancelled or shutting down,
// Errc::invalid_argument for a header that is none. The destructor cancels what runs and waits for
// it; every caller is answered on its loop, which may be after the destructor has returned, so the
// loops outlive this.
class Fetcher {
public:
    // `address_rule` replaces what the policy says about addresses; empty in production.
    // Errc::invalid_argument if the CA file cannot be used.
    static Result<std::unique_ptr<Fetcher>> open(Policy policy, AddressRule address_rule = {});
    virtual ~Fetcher() = default;
    virtual Async<Fetched> get(GetRequest request) = 0;
    virtual Async<Posted> post(PostRequest request) = 0;
    // Whether `url` may be opened at all, judged without resolving its name.
    virtual Result<> check_url(std::string_view url) const = 0;
};

}  // namespace satchel::fetch
