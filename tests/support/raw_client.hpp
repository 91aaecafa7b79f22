// A blocking TCP client that sends exactly the bytes it is given. Every wait ends after
// RawClient::patience.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace satchel::test {

class RawClient {
public:
    static constexpr int patience_seconds = 10;
    enum class Body : bool { none, expected };

    struct Answer {
        int status = 0;
        std::string head;
        std::string body;

        // The value of a header, given in lower case; empty if it is absent.
        std::string header(std::string_view name) const {
            std::string lower = head;
            std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
                return static_cast<char>(std::tolower(c));
            });
            const auto at = lower.find("\r\n" + std::string(name) + ": ");
            if (at == std::string::npos) return {};
            const auto begin = at + 2 + name.size() + 2;
            return head.substr(begin, head.find("\r\n", begin) - begin);
        }
    };

    explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const timeval patience{patience_seconds, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("cannot connect");
        }
    }
    ~RawClient() { ::close(socket_); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return;  // The answer tells why.
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
    }

    // The next answer. Status 0: the connection ended or nothing came.
    Answer receive(Body expected = Body::expected) {
        Answer answer;
        std::size_t end = std::string::npos;
        while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
            if (!read_more()) return answer;
        }
        answer.head = buffer_.substr(0, end + 2);
        buffer_.erase(0, end + 4);
        answer.status = std::atoi(answer.head.substr(9, 3).c_str());
        const std::string length = answer.header("content-length");
        if (expected == Body::none || length.empty()) return answer;
        const auto size = static_cast<std::size_t>(std::atoll(length.c_str()));
        while (buffer_.size() < size && read_more()) {
        }
        answer.body = buffer_.substr(0, size);
        buffer_.erase(0, size);
        return answer;
    }

    // Waits for the end of the stream.
    bool is_closed() {
        while (read_more()) {
        }
        return ended_;
    }

private:
    bool read_more() {
        char bytes[65536];
        const ssize_t n = ::recv(socket_, bytes, sizeof bytes, 0);
        if (n == 0) ended_ = true;
        if (n <= 0) return false;
        buffer_.append(bytes, static_cast<std::size_t>(n));
        return true;
    }

    int socket_;
    std::string buffer_;
    bool ended_ = false;
};

}  // namespace satchel::test
