#include "media/clamd.hpp"

#include "base/limits.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

namespace satchel::media {
namespace {

using Socket = asio::generic::stream_protocol::socket::rebind_executor<Loop::executor_type>::other;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         Loop::executor_type>;

// "z" commands and their answers end in a zero byte.
constexpr std::string_view instream_command{"zINSTREAM\0", 10};
constexpr std::string_view ping_command{"zPING\0", 6};
constexpr std::string_view found_suffix = " FOUND";
constexpr std::string_view answer_prefix = "stream: ";
constexpr std::size_t length_bytes = 4;

asio::generic::stream_protocol::endpoint endpoint_of(const ClamdAddress& address) {
    if (!address.path.empty()) return asio::local::stream_protocol::endpoint(address.path);
    return asio::ip::tcp::endpoint(asio::ip::make_address(address.host), address.port);
}

// A connection whose waits end: the watch closes the socket under them.
class Session {
public:
    Session(const Loop::executor_type& loop, std::chrono::milliseconds stall_max)
        : shared_(std::make_shared<Shared>(loop)), stall_max_(stall_max) {}
    ~Session() {
        shared_->is_over = true;
        shared_->watch.cancel();
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    Async<> connect(const ClamdAddress& address) {
        watch();
        const auto [error] =
            co_await shared_->socket.async_connect(endpoint_of(address), asio::as_tuple(use_task));
        co_return ended("connect", error);
    }

    Async<> send(asio::const_buffer bytes) {
        watch();
        const auto [error, sent] =
            co_await asio::async_write(shared_->socket, bytes, asio::as_tuple(use_task));
        co_return ended("send", error);
    }

    // Up to the zero byte or the connection's end.
    Async<std::string> receive() {
        std::string answer;
        std::array<char, 512> piece{};
        while (answer.size() < limits::scan_answer_bytes_max) {
            watch();
            const auto [error, size] = co_await shared_->socket.async_read_some(
                asio::buffer(piece), asio::as_tuple(use_task));
            answer.append(piece.data(), size);
            const auto end = answer.find('\0');
            if (end != std::string::npos) co_return answer.substr(0, end);
            if (error == asio::error::eof && !answer.empty()) co_return answer;
            CO_CHECK(ended("receive", error));
        }
        co_return fail(Errc::unavailable, "clamd: its answer is too long");
    }

private:
    struct Shared {
        explicit Shared(const Loop::executor_type& loop) : socket(loop), watch(loop) {}
        Socket socket;
        Timer watch;
        bool is_late = false;
        bool is_over = false;
    };

    void watch() {
        shared_->watch.expires_after(stall_max_);
        shared_->watch.async_wait([shared = shared_](const boost::system::error_code& error) {
            if (error || shared->is_over) return;
            shared->is_late = true;
            boost::system::error_code ignored;
            shared->socket.close(ignored);
        });
    }

    Result<> ended(std::string_view what, const boost::system::error_code& error) {
        if (!error) return {};
        const std::string detail = "clamd: " + std::string(what) + ": " + error.message();
        return fail(shared_->is_late ? Errc::timed_out : Errc::unavailable, detail);
    }

    std::shared_ptr<Shared> shared_;
    std::chrono::milliseconds stall_max_;
};

Async<> send_all(Session& session, Content& content) {
    std::vector<std::byte> buffer(length_bytes + limits::scan_chunk_bytes);
    const std::uint64_t size = content.size();
    for (std::uint64_t offset = 0; offset < size;) {
        const auto want = std::min<std::uint64_t>(size - offset, limits::scan_chunk_bytes);
        const auto piece = std::span(buffer).subspan(length_bytes, static_cast<std::size_t>(want));
        CO_TRY(const std::size_t filled, co_await content.read_at(offset, piece));
        if (filled == 0) break;
        for (std::size_t i = 0; i < length_bytes; ++i) {
            buffer[i] = static_cast<std::byte>(filled >> (8 * (length_bytes - 1 - i)) & 0xFF);
        }
        CO_CHECK(co_await session.send(asio::buffer(buffer.data(), length_bytes + filled)));
        offset += filled;
    }
    static constexpr std::array<std::byte, length_bytes> end{};
    co_return co_await session.send(asio::buffer(end));
}

Result<std::optional<std::string>> verdict_of(std::string_view answer) {
    if (answer.starts_with(answer_prefix)) answer.remove_prefix(answer_prefix.size());
    if (answer == "OK") return std::optional<std::string>{};
    if (answer.ends_with(found_suffix)) {
        answer.remove_suffix(found_suffix.size());
        return std::optional<std::string>(answer);
    }
    return fail(Errc::unavailable, "clamd gave no verdict: " + std::string(answer));
}

}  // namespace

Async<std::optional<std::string>> Clamd::scan(Content& content) {
    Session session(co_await asio::this_coro::executor, stall_max_);
    CO_CHECK(co_await session.connect(address_));
    CO_CHECK(co_await session.send(asio::buffer(instream_command.data(), instream_command.size())));
    // It may refuse the rest and say why: what it said tells more than that sending failed.
    const auto sent = co_await send_all(session, content);
    if (!sent && sent.error().code == Errc::timed_out) co_return std::unexpected(sent.error());
    const auto answer = co_await session.receive();
    if (!answer) co_return std::unexpected(sent ? answer.error() : sent.error());
    co_return verdict_of(*answer);
}

Async<> Clamd::ping() {
    Session session(co_await asio::this_coro::executor, stall_max_);
    CO_CHECK(co_await session.connect(address_));
    CO_CHECK(co_await session.send(asio::buffer(ping_command.data(), ping_command.size())));
    CO_TRY(const std::string answer, co_await session.receive());
    if (answer == "PONG") co_return Result<>{};
    co_return fail(Errc::unavailable, "clamd answered a PING with " + answer);
}

}  // namespace satchel::media
