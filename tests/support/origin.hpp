// A web server that does what a test tells it to: each connection gets a thread and a script.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace satchel::test {

// One accepted connection; blocking. Every wait ends when the peer leaves or the origin closes.
class OriginConnection {
public:
    OriginConnection(int socket, SSL_CTX* tls) : socket_(socket) {
        if (tls == nullptr) return;
        tls_.reset(SSL_new(tls));
        SSL_set_fd(tls_.get(), socket_);
        open_ = SSL_accept(tls_.get()) == 1;
    }
    OriginConnection(const OriginConnection&) = delete;
    OriginConnection& operator=(const OriginConnection&) = delete;

    // The next request's head with its empty line; empty when the peer has gone.
    std::string read_head() {
        std::size_t end = std::string::npos;
        while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
            if (!read_more()) return {};
        }
        std::string head = buffer_.substr(0, end + 4);
        buffer_.erase(0, end + 4);
        return head;
    }

    std::string read_body(const std::string& head) {
        const auto at = head.find("Content-Length: ");
        if (at == std::string::npos) return {};
        const auto size = static_cast<std::size_t>(std::atoll(head.c_str() + at + 16));
        while (buffer_.size() < size && read_more()) {
        }
        std::string body = buffer_.substr(0, size);
        buffer_.erase(0, body.size());
        return body;
    }

    // False when the peer has gone.
    bool send(std::string_view bytes) {
        while (!bytes.empty() && open_) {
            const auto n = tls_
                               ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()))
                               : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) open_ = false;
            if (open_) bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return open_;
    }

    bool answer(std::string_view status, std::string_view headers, std::string_view body) {
        return send("HTTP/1.1 " + std::string(status) + "\r\n" + std::string(headers) +
                    "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                    std::string(body));
    }

    void wait_until_peer_leaves() {
        while (read_more()) {
        }
    }

private:
    struct FreeTls {
        void operator()(SSL* tls) const { SSL_free(tls); }
    };

    bool read_more() {
        char bytes[16384];
        if (!open_) return false;
        const auto n = tls_ ? SSL_read(tls_.get(), bytes, sizeof bytes)
                            : ::recv(socket_, bytes, sizeof bytes, 0);
        if (n <= 0) return false;
        buffer_.append(bytes, static_cast<std::size_t>(n));
        return true;
    }

    const int socket_;
    std::unique_ptr<SSL, FreeTls> tls_;
    bool open_ = true;
    std::string buffer_;
};

class Origin {
public:
    using Script = std::function<void(OriginConnection&)>;

    // `tls` outlives this.
    explicit Origin(Script script, const char* address = "127.0.0.1", SSL_CTX* tls = nullptr)
        : script_(std::move(script)), tls_(tls), listener_(listen_on(address)) {
        sockaddr_in bound{};
        socklen_t size = sizeof bound;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &size);
        port_ = ntohs(bound.sin_port);
        acceptor_ = std::thread([this] { accept_all(); });
    }
    ~Origin() {
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        for (Served& served : served_) {
            ::shutdown(served.socket, SHUT_RDWR);
            served.thread.join();
            ::close(served.socket);
        }
        ::close(listener_);
    }
    Origin(const Origin&) = delete;
    Origin& operator=(const Origin&) = delete;

    std::uint16_t port() const { return port_; }
    int connections() const { return connections_; }

private:
    struct Served {
        int socket;
        std::thread thread;
    };

    static int listen_on(const char* address) {
        const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in local{};
        local.sin_family = AF_INET;
        inet_pton(AF_INET, address, &local.sin_addr);
        if (::bind(listener, reinterpret_cast<sockaddr*>(&local), sizeof local) != 0 ||
            ::listen(listener, 1024) != 0) {
            throw std::runtime_error("cannot listen");
        }
        return listener;
    }

    void accept_all() {
        // OpenSSL writes without MSG_NOSIGNAL. The threads of connections inherit this.
        sigset_t broken_pipe;
        sigemptyset(&broken_pipe);
        sigaddset(&broken_pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
        for (;;) {
            const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (socket < 0) return;
            ++connections_;
            served_.push_back({socket, std::thread([this, socket] {
                                   {
                                       OriginConnection connection(socket, tls_);
                                       script_(connection);
                                   }
                                   ::shutdown(socket, SHUT_RDWR);
                               })});
        }
    }

    const Script script_;
    SSL_CTX* const tls_;
    const int listener_;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_ = 0;
    std::list<Served> served_;  // Of the acceptor until it is joined.
    std::thread acceptor_;
};

// A script that answers every request of a connection with `reply(head, body)`'s bytes.
inline Origin::Script replying(
    std::function<std::string(const std::string&, const std::string&)> reply) {
    return [reply = std::move(reply)](OriginConnection& connection) {
        for (std::string head; !(head = connection.read_head()).empty();) {
            const std::string body = connection.read_body(head);
            if (!connection.send(reply(head, body))) return;
        }
    };
}

inline std::string ok_answer(std::string_view body, std::string_view headers = {}) {
    return "HTTP/1.1 200 OK\r\n" + std::string(headers) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

}  // namespace satchel::test
