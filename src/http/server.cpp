#include "http/server.hpp"

#include "base/log.hpp"
#include "base/task_group.hpp"
#include "http/connection.hpp"
#include "http/tls.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>

namespace satchel::http {
namespace {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Loop::executor_type>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         Loop::executor_type>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

std::unexpected<Error> cannot_listen(const ServerOptions& options, const std::string& why) {
    Error error;
    error.code = Errc::unavailable;
    error.message = "cannot listen on " + options.address + ":" + std::to_string(options.port) +
                    ": " + why + "; choose another address or port";
    return std::unexpected(std::move(error));
}

class Counted {
public:
    explicit Counted(std::atomic<std::size_t>& count) : count_(count) { ++count_; }
    ~Counted() { --count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

private:
    std::atomic<std::size_t>& count_;
};

// The connections of one loop. Everything but construction runs on that loop.
class Listener {
public:
    Listener(Loop& loop,
             Acceptor acceptor,
             Handler& handler,
             SSL_CTX* tls,
             std::atomic<std::size_t>& connections,
             std::size_t connections_max)
        : loop_(loop),
          acceptor_(std::move(acceptor)),
          tasks_(loop),
          ticker_(loop.get_executor()),
          share_(handler),
          tls_(tls),
          connections_(connections),
          connections_max_(connections_max) {}

    Loop& loop() { return loop_; }

    void start() {
        tasks_.spawn("accept", accept_all());
        tasks_.spawn("deadlines", watch_deadlines());
    }

    Task<> stop(std::chrono::steady_clock::duration patience) {
        share_.stopping = true;
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        for (Connection* connection : share_.connections) {
            if (connection->is_idle()) connection->stream().interrupt();
        }
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!share_.connections.empty() && std::chrono::steady_clock::now() < end) {
            stop_ticks_.expires_after(std::chrono::milliseconds(10));
            co_await stop_ticks_.async_wait(asio::as_tuple(use_task));
        }
        if (!share_.connections.empty()) {
            log::warn("connections_cut", {{"count", share_.connections.size()}});
        }
        for (Connection* connection : share_.connections) connection->stream().interrupt();
        ticker_.cancel();
        // What is left waits for the database or the disk, which answer in their own time.
        co_await tasks_.stop(limits::stop_wait_max);
    }

private:
    Task<> accept_all() {
        while (!share_.stopping) {
            auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(use_task));
            if (share_.stopping) co_return;
            if (error == asio::error::no_descriptors || error == asio::error::no_buffer_space ||
                error == asio::error::no_memory) {
                log::error("accept_failed", {{"detail", error.message()}});
                stop_ticks_.expires_after(limits::accept_retry_wait);
                co_await stop_ticks_.async_wait(asio::as_tuple(use_task));
                continue;
            }
            if (error) continue;  // The client was gone before we looked.
            if (connections_.load(std::memory_order_relaxed) >= connections_max_) {
                log_refusal();
                continue;  // Closing tells a client to come again.
            }
            tasks_.spawn("connection", serve(std::move(socket)));
        }
    }

    // At most one line a second: whoever opens connections must not fill the log as well.
    void log_refusal() {
        const auto now = std::chrono::steady_clock::now();
        ++refused_;
        if (now - refusal_logged_at_ < std::chrono::seconds(1)) return;
        refusal_logged_at_ = now;
        log::warn("connections_refused",
                  {{"count", std::exchange(refused_, 0)}, {"connections_max", connections_max_}});
    }

    Task<> serve(Socket socket) {
        const Counted counted(connections_);
        Connection connection(share_, std::move(socket), tls_);
        co_await connection.run();
    }

    Task<> watch_deadlines() {
        while (!share_.stopping) {
            ticker_.expires_after(limits::deadline_check_interval);
            co_await ticker_.async_wait(asio::as_tuple(use_task));
            const auto now = std::chrono::steady_clock::now();
            for (Connection* connection : share_.connections) {
                if (connection->stream().is_overdue(now)) connection->stream().interrupt();
            }
        }
    }

    Loop& loop_;
    Acceptor acceptor_;
    TaskGroup tasks_;
    Timer ticker_;
    Timer stop_ticks_{loop_.get_executor()};
    LoopShare share_;
    SSL_CTX* tls_;
    std::atomic<std::size_t>& connections_;
    std::size_t connections_max_;
    std::size_t refused_ = 0;
    std::chrono::steady_clock::time_point refusal_logged_at_{};
};

class AsioServer : public Server {
public:
    static Result<std::unique_ptr<Server>> open(std::vector<Loop*> loops,
                                                const ServerOptions& options,
                                                Handler& handler) {
        auto server = std::make_unique<AsioServer>();
        if (options.tls) {
            TRY(server->tls_, make_tls_context(*options.tls));
        }
        boost::system::error_code error;
        const auto address = asio::ip::make_address(options.address, error);
        if (error) return cannot_listen(options, "not an IP address");
        asio::ip::tcp::endpoint endpoint(address, options.port);
        for (Loop* loop : loops) {
            Acceptor acceptor(loop->get_executor());
            acceptor.open(endpoint.protocol(), error);
            if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
            // Alone on its port a listener is bound without it, so that a second server on the
            // same port is told so.
            if (!error && loops.size() > 1) {
                if (loop == loops.front()) error = check_free(endpoint);
                if (!error) acceptor.set_option(ReusePort(true), error);
            }
            if (!error) acceptor.bind(endpoint, error);
            if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
            if (!error) acceptor.non_blocking(true, error);
            if (error) return cannot_listen(options, error.message());
            endpoint.port(acceptor.local_endpoint().port());
            server->listeners_.push_back(
                std::make_unique<Listener>(*loop, std::move(acceptor), handler, server->tls_.get(),
                                           server->connections_, options.connections_max));
        }
        server->port_ = endpoint.port();
        return std::unique_ptr<Server>(std::move(server));
    }

    std::uint16_t port() const override { return port_; }

    void start() override {
        for (auto& listener : listeners_) {
            asio::post(listener->loop(), [&listener = *listener] { listener.start(); });
        }
    }

    void stop(std::chrono::steady_clock::duration patience,
              std::move_only_function<void()> done) override {
        auto all_done = std::make_shared<std::move_only_function<void()>>(std::move(done));
        auto left = std::make_shared<std::atomic<std::size_t>>(listeners_.size());
        for (auto& listener : listeners_) {
            asio::co_spawn(listener->loop(), listener->stop(patience),
                           [all_done, left](const std::exception_ptr& error) {
                               if (error) log::error("stop_failed");
                               if (--*left == 0) (*all_done)();
                           });
        }
    }

    std::size_t connections() const override { return connections_; }

private:
    // With SO_REUSEPORT a bind succeeds beside another server of this user: look without it.
    static boost::system::error_code check_free(const asio::ip::tcp::endpoint& endpoint) {
        if (endpoint.port() == 0) return {};
        boost::system::error_code error;
        Loop probe_loop;
        Acceptor probe(probe_loop.get_executor());
        probe.open(endpoint.protocol(), error);
        if (!error) probe.set_option(Acceptor::reuse_address(true), error);
        if (!error) probe.bind(endpoint, error);
        return error;
    }

    TlsContext tls_;
    std::atomic<std::size_t> connections_{0};
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::open(std::vector<Loop*> loops,
                                             const ServerOptions& options,
                                             Handler& handler) {
    return AsioServer::open(std::move(loops), options, handler);
}

}  // namespace satchel::http
