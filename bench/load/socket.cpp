#include "socket.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace bench {
namespace {

constexpr std::size_t tls_write_bytes_max = 256UL * 1024;
constexpr std::size_t tls_read_ahead_bytes = 128UL * 1024;

}  // namespace

TlsContext make_tls_context() {
    TlsContext context(SSL_CTX_new(TLS_client_method()));
    if (!context) return nullptr;
    SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_256_GCM_SHA384");
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Fewer system calls on this side: the client's core must not be the one measured.
    SSL_CTX_set_read_ahead(context.get(), 1);
    SSL_CTX_set_default_read_buffer_len(context.get(), tls_read_ahead_bytes);
    return context;
}

bool Socket::open(const Target& target, SSL_CTX* context) {
    close();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(target.port);
    if (inet_pton(AF_INET, target.address.c_str(), &address.sin_addr) != 1) return false;
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0) return false;
    const int on = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
        errno != EINPROGRESS) {
        close();
        return false;
    }
    if (target.tls) {
        tls_.reset(SSL_new(context));
        SSL_set_fd(tls_.get(), descriptor_);
        SSL_set_connect_state(tls_.get());
    }
    return true;
}

void Socket::close() {
    tls_.reset();
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
    connected_ = false;
}

Io Socket::handshake() {
    if (!connected_) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return Io::failed;
        sockaddr_in peer{};
        size = sizeof peer;
        if (getpeername(descriptor_, reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
            return errno == ENOTCONN ? Io::wait_write : Io::failed;
        }
        connected_ = true;
    }
    if (!tls_) return Io::ready;
    ERR_clear_error();
    const int result = SSL_do_handshake(tls_.get());
    return result == 1 ? Io::ready : tls_result(result).io;
}

Moved Socket::read(std::span<char> into) {
    if (tls_) {
        ERR_clear_error();
        const int result = SSL_read(tls_.get(), into.data(), static_cast<int>(into.size()));
        if (result > 0) return {Io::ready, static_cast<std::size_t>(result)};
        return tls_result(result);
    }
    const ssize_t count = recv(descriptor_, into.data(), into.size(), 0);
    if (count > 0) return {Io::ready, static_cast<std::size_t>(count)};
    if (count == 0) return {Io::closed};
    return {errno == EAGAIN ? Io::wait_read : Io::failed};
}

Moved Socket::write(std::string_view first, std::string_view second) {
    if (tls_) {
        const std::string_view part = first.empty() ? second : first;
        const std::size_t size = std::min(part.size(), tls_write_bytes_max);
        ERR_clear_error();
        const int result = SSL_write(tls_.get(), part.data(), static_cast<int>(size));
        if (result > 0) return {Io::ready, static_cast<std::size_t>(result)};
        return tls_result(result);
    }
    iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                      {const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    const ssize_t count = sendmsg(descriptor_, &message, MSG_NOSIGNAL);
    if (count >= 0) return {Io::ready, static_cast<std::size_t>(count)};
    return {errno == EAGAIN ? Io::wait_write : Io::failed};
}

Moved Socket::tls_result(int result) const {
    switch (SSL_get_error(tls_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            return {Io::wait_read};
        case SSL_ERROR_WANT_WRITE:
            return {Io::wait_write};
        case SSL_ERROR_ZERO_RETURN:
            return {Io::closed};
        default:
            return {Io::failed};
    }
}

}  // namespace bench
