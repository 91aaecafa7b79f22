// A non-blocking TCP connection to a loopback server, plain or TLS 1.3.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace bench {

struct Target {
    std::string address;  // IPv4 literal.
    std::uint16_t port = 0;
    bool tls = false;
};

enum class Io { ready, wait_read, wait_write, closed, failed };

struct Moved {
    Io io = Io::failed;
    std::size_t bytes = 0;
};

struct FreeTlsContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

// TLS 1.3 with TLS_AES_256_GCM_SHA384 only, so that every server does the same work.
// The certificate is not checked: the servers under test are on this machine.
TlsContext make_tls_context();

class Socket {
public:
    Socket() = default;
    ~Socket() { close(); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    // Begins to connect; false if the address is bad or no descriptor is left.
    bool open(const Target& target, SSL_CTX* context);
    void close();
    int descriptor() const { return descriptor_; }

    // To be repeated, at the readiness it asks for, until it says ready.
    Io handshake();
    Moved read(std::span<char> into);
    // Sends what it can of `first` and then `second`; `bytes` counts both.
    Moved write(std::string_view first, std::string_view second);
    // Bytes wait inside the TLS layer, where epoll does not see them.
    bool has_pending() const { return tls_ && SSL_has_pending(tls_.get()) == 1; }

private:
    struct FreeTls {
        void operator()(SSL* tls) const { SSL_free(tls); }
    };
    Moved tls_result(int result) const;

    int descriptor_ = -1;
    bool connected_ = false;
    std::unique_ptr<SSL, FreeTls> tls_;
};

}  // namespace bench
