// HTTP/1.1 server: bytes, limits and deadlines. One listening socket per loop (SO_REUSEPORT);
// a connection lives and dies on one loop.
#pragma once

#include "base/async.hpp"
#include "base/limits.hpp"
#include "http/message.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace satchel::http {

struct TlsFiles {
    std::string certificate;  // PEM, chain included.
    std::string key;          // PEM.
};

struct ServerOptions {
    std::string address;          // IPv4 or IPv6 literal.
    std::uint16_t port = 0;       // 0 picks a free one.
    std::optional<TlsFiles> tls;  // TLS 1.2 or newer.
    std::size_t connections_max = limits::connections_max;
};

// Made before the loops run; stop() may be called from any thread.
class Server {
public:
    // Binds and listens on every loop. The error's `message` is one line for the operator.
    static Result<std::unique_ptr<Server>> open(std::vector<Loop*> loops,
                                                const ServerOptions& options,
                                                Handler& handler);
    virtual ~Server() = default;

    virtual std::uint16_t port() const = 0;
    // Begins to accept. Call once, before or while the loops run.
    virtual void start() = 0;
    // Stops accepting, lets running requests end for up to `patience`, then cuts them.
    // `done` runs on a loop when no connection is left.
    virtual void stop(std::chrono::steady_clock::duration patience,
                      std::move_only_function<void()> done) = 0;
    virtual std::size_t connections() const = 0;
};

}  // namespace satchel::http
