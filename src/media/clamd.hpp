// ClamAV's daemon, asked with INSTREAM over its socket: one connection a scan.
//
// Usable from every loop at once. Each wait for the daemon has the deadline `stall_max`. Its
// StreamMaxLength must be at least limits::attachment_bytes_max: content it refuses to read has no
// verdict.
#pragma once

#include "base/limits.hpp"
#include "media/scanner.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace satchel::media {

struct ClamdAddress {
    std::string path;  // Of a Unix socket; empty: TCP.
    std::string host;  // An IP address.
    std::uint16_t port = 0;
};

class Clamd : public Scanner {
public:
    explicit Clamd(ClamdAddress address,
                   std::chrono::milliseconds stall_max = limits::scan_stall_max)
        : address_(std::move(address)), stall_max_(stall_max) {}
    Async<std::optional<std::string>> scan(Content& content) override;
    // Whether it answers.
    Async<> ping();

private:
    ClamdAddress address_;
    std::chrono::milliseconds stall_max_;
};

}  // namespace satchel::media
