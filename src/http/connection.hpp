// One connection's life: head, handler, answer, again.
#pragma once

#include "http/body.hpp"
#include "http/message.hpp"
#include "http/stream.hpp"

#include <list>
#include <string>

namespace satchel::http {

// What the connections of one loop share.
struct LoopShare {
    explicit LoopShare(Handler& h) : handler(h) {}

    Handler& handler;
    std::string_view http_date();  // The Date header's value, made once a second.
    bool stopping = false;
    std::list<class Connection*> connections;

private:
    std::string date_;
    std::int64_t date_second_ = -1;
};

class Connection {
public:
    Connection(LoopShare& share, Socket socket, SSL_CTX* tls);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Task<> run();

    Stream& stream() { return stream_; }
    // Between two requests: may be cut without loss.
    bool is_idle() const { return idle_; }

private:
    enum class Next : bool { close, keep };

    // A complete head in buffer_, or why not.
    Async<std::size_t> read_head();
    Task<Next> serve(std::size_t head_bytes);
    Task<> refuse(const HeadError& error);
    Task<Response> ask_handler(Request& request);
    // Sends `response`; the outcome tells how far it came.
    Task<Handler::Outcome> send(Response& response,
                                bool head_only,
                                bool keep,
                                std::string_view trace_id);
    Async<std::uint64_t> send_source(Response& response, std::string_view head);
    Task<> linger();

    LoopShare& share_;
    std::list<Connection*>::iterator place_;
    Stream stream_;
    std::string buffer_;  // Received and not consumed.
    bool idle_ = true;
};

}  // namespace satchel::http
