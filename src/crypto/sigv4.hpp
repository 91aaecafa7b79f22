// AWS Signature Version 4, query form ("presigned URL"), for service s3.
//
// Knows nothing of attachments or clocks: the caller passes the time, and decides what an
// expired or refused request is answered with.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace satchel::crypto::sigv4 {

// Whose signature: the secret never leaves the process.
struct Credentials {
    std::string access_key_id;  // Appears in URLs.
    std::string secret;
    std::string region;
};

using NamedValue = std::pair<std::string_view, std::string_view>;

// Signs URLs with one set of credentials. The signing key of a day is cached.
// Thread-safe.
class Presigner {
public:
    explicit Presigner(Credentials credentials);
    ~Presigner();
    Presigner(const Presigner&) = delete;
    Presigner& operator=(const Presigner&) = delete;

    // The query string (without '?') that authorises `method` on `path` of `host` from `at`
    // (rounded down to a second) for `life`. `path` is absolute and already percent-encoded;
    // `host` as it will stand in the Host header. `headers` are the headers besides host that
    // the client must send with exactly these values; names are lower case, sorted.
    std::string sign(std::string_view method,
                     std::string_view host,
                     std::string_view path,
                     std::span<const NamedValue> headers,
                     Time at,
                     std::chrono::seconds life) const;

    enum class Verdict : std::uint8_t {
        ok,
        malformed,           // A parameter is missing, doubled or unreadable: 400 in S3.
        signature_mismatch,  // Anything signed differs, or a header that must be signed is not.
        not_yet_valid,       // Signed more than 15 minutes ahead of `now`.
        expired,
    };

    struct Incoming {
        std::string_view method;  // As on the request line.
        std::string_view path;    // Raw, percent-encoded, as on the request line.
        std::string_view query;   // Raw, without '?'.
        // Every header of the request, as received, in order; names in any case.
        std::span<const NamedValue> headers;
    };

    // Checks everything but who may do what. The signature is compared in constant time and
    // before the expiry, so that only a genuine URL learns that it is expired.
    // `must_sign`: lower-case header names that SignedHeaders has to contain (host always must).
    // X-Amz-Expires above 7 days is malformed. A header x-amz-* that the request carries and
    // SignedHeaders does not is a mismatch, except those in `may_be_unsigned`.
    Verdict verify(const Incoming& request,
                   std::span<const std::string_view> must_sign,
                   std::span<const std::string_view> may_be_unsigned,
                   Time now) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace satchel::crypto::sigv4
