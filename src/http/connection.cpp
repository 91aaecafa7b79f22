#include "http/connection.hpp"

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

#include <ctime>

namespace satchel::http {
namespace {

constexpr std::size_t read_step_bytes = 4096;
constexpr std::size_t lingering_reads_per_turn = 16;

std::string_view reason_phrase(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 416:
            return "Range Not Satisfiable";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Status";
    }
}

bool has_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

std::string render_head(const Response& response,
                        std::uint64_t body_bytes,
                        bool keep,
                        std::string_view date,
                        std::string_view trace_id) {
    std::string head;
    head.reserve(512 + response.body.size());
    head += "HTTP/1.1 ";
    head += std::to_string(response.status);
    head += ' ';
    head += reason_phrase(response.status);
    head += "\r\nDate: ";
    head += date;
    head += "\r\nX-Trace-ID: ";
    head += trace_id;
    for (const auto& [name, value] : response.headers) {
        head += "\r\n";
        head += name;
        head += ": ";
        head += value;
    }
    if (has_body(response.status)) {
        head += "\r\nContent-Length: ";
        head += std::to_string(body_bytes);
    }
    if (!keep) head += "\r\nConnection: close";
    head += "\r\n\r\n";
    return head;
}

}  // namespace

std::string_view LoopShare::http_date() {
    const std::time_t now = std::time(nullptr);
    if (now != date_second_) {
        date_second_ = now;
        date_ = to_http_date(Time{std::chrono::seconds(now)});
    }
    return date_;
}

Connection::Connection(LoopShare& share, Socket socket, SSL_CTX* tls)
    : share_(share), stream_(std::move(socket), tls) {
    place_ = share_.connections.insert(share_.connections.end(), this);
}

Connection::~Connection() {
    share_.connections.erase(place_);
}

Async<std::size_t> Connection::read_head() {
    const auto began = std::chrono::steady_clock::now();
    std::size_t searched = 0;
    while (true) {
        // Empty lines before a request are ignored (RFC 9112 section 2.2).
        while (buffer_.starts_with("\r\n")) {
            buffer_.erase(0, 2);
            searched = 0;
        }
        if (const auto end = find_head_end(buffer_, searched)) {
            if (*end > limits::request_head_bytes_max) co_return fail(Errc::too_large, "head");
            co_return *end;
        }
        searched = buffer_.size();
        if (searched > limits::request_head_bytes_max) co_return fail(Errc::too_large, "head");
        const auto left = limits::head_wait_max - (std::chrono::steady_clock::now() - began);
        if (left <= left.zero()) co_return fail(Errc::timed_out, "head");
        std::array<std::byte, read_step_bytes> step;
        CO_TRY(const std::size_t n, co_await stream_.read_some(step, left));
        if (n == 0) co_return fail(Errc::invalid_argument, "the client hung up");
        buffer_.append(as_text(std::span(step).first(n)));
    }
}

Task<> Connection::run() {
    if (!co_await stream_.handshake(limits::tls_handshake_max)) co_return;
    auto patience = std::chrono::steady_clock::duration(limits::head_wait_max);
    while (!share_.stopping) {
        idle_ = true;
        if (buffer_.empty()) {
            buffer_ = std::string();  // An idle connection holds no memory of its own.
            if (!co_await stream_.wait_readable(patience)) co_return;
        }
        patience = limits::keep_alive_wait_max;
        const auto head_bytes = co_await read_head();
        if (!head_bytes) {
            const Errc code = head_bytes.error().code;
            if (code == Errc::too_large) {
                const HeadError error{431, "The request's head is too large"};
                co_await refuse(error);
            } else if (code == Errc::timed_out && !buffer_.empty()) {
                const HeadError error{408, "The request's head did not come in time"};
                co_await refuse(error);
            }
            co_return;
        }
        idle_ = false;
        if (co_await serve(*head_bytes) == Next::close) co_return;
        // Requests that are here already must not keep the loop from everybody else's.
        if (!buffer_.empty()) co_await yield();
    }
}

Task<Connection::Next> Connection::serve(std::size_t head_bytes) {
    const auto began = std::chrono::steady_clock::now();
    const auto head = parse_head(std::string_view(buffer_).substr(0, head_bytes));
    if (!head) {
        co_await refuse(head.error());
        co_return Next::close;
    }
    ConnectionBody body(stream_, *head, std::string_view(buffer_).substr(head_bytes));
    const std::string trace_id = random_trace_id();
    Request request;
    request.method = head->method;
    request.method_text = head->method_text;
    request.path = head->path;
    request.query = head->query;
    request.headers = head->headers;
    request.content_length = head->content_length;
    request.chunked = head->chunked;
    request.trace_id = trace_id;
    request.body = &body;

    Response response = co_await ask_handler(request);
    const bool body_is_short = body.is_complete() || (!body.is_awaited() && body.remaining() &&
                                                      *body.remaining() <= limits::drain_bytes_max);
    // After a chunked body nobody knows whether the next request has begun to arrive.
    const bool keep = head->keep_alive && !response.close && !share_.stopping && body_is_short &&
                      !body.has_failed() && !head->chunked;
    Handler::Outcome outcome =
        co_await send(response, head->method == Method::head, keep, trace_id);
    outcome.took = std::chrono::steady_clock::now() - began;
    share_.handler.answered(request, outcome);

    if (outcome.cut) co_return Next::close;
    if (!keep || !co_await body.drain(limits::drain_bytes_max)) {
        co_await linger();
        co_return Next::close;
    }
    buffer_.erase(0, head_bytes + body.buffered_used());
    co_return Next::keep;
}

Task<Response> Connection::ask_handler(Request& request) {
    std::string failure;
    try {
        co_return co_await share_.handler.handle(request);
    } catch (const std::exception& e) {
        failure = e.what();
    }
    log::error("handler_failed", {{"trace_id", request.trace_id}, {"detail", failure}});
    Error error;
    error.detail = std::move(failure);
    Response response = share_.handler.refusal(error, request.trace_id);
    response.close = true;
    co_return response;
}

Task<> Connection::refuse(const HeadError& refused) {
    const Reason reason{1003, static_cast<std::uint16_t>(refused.status), Errc::invalid_argument,
                        refused.message};
    Error error;
    error.code = reason.errc;
    error.reason = &reason;
    const std::string trace_id = random_trace_id();
    Response response = share_.handler.refusal(error, trace_id);
    Handler::Outcome outcome = co_await send(response, false, false, trace_id);
    Request nothing;
    nothing.trace_id = trace_id;
    share_.handler.answered(nothing, outcome);
    if (!outcome.cut) co_await linger();
}

Task<Handler::Outcome> Connection::send(Response& response,
                                        bool head_only,
                                        bool keep,
                                        std::string_view trace_id) {
    Handler::Outcome outcome;
    outcome.status = response.status;
    const std::uint64_t size = response.source ? response.source_bytes : response.body.size();
    std::string head = render_head(response, size, keep, share_.http_date(), trace_id);
    const bool with_body = has_body(response.status) && !head_only;
    if (with_body && response.source) {
        const auto* const withdrawn = response.source->withdrawn();
        stream_.watch(withdrawn);
        const auto sent = co_await send_source(response, head);
        stream_.watch(nullptr);
        if (!sent && withdrawn != nullptr && *withdrawn) stream_.reset_at_end();
        outcome.cut = !sent;
        outcome.bytes_sent = sent.value_or(0);
        co_return outcome;
    }
    if (with_body) {
        head += response.body;
        outcome.bytes_sent = response.body.size();
    }
    const std::array pieces{as_bytes(head)};
    outcome.cut = !co_await stream_.write(pieces, limits::write_stall_max);
    co_return outcome;
}

Async<std::uint64_t> Connection::send_source(Response& response, std::string_view head) {
    std::uint64_t sent = 0;
    std::vector<ByteView> pieces;
    while (sent < response.source_bytes) {
        pieces.clear();
        if (sent == 0) pieces.push_back(as_bytes(head));
        std::vector<ByteView> next;
        CO_CHECK(co_await response.source->next(next));
        std::size_t bytes = 0;
        for (const ByteView piece : next) bytes += piece.size();
        ASSERT(bytes > 0 && sent + bytes <= response.source_bytes);
        pieces.insert(pieces.end(), next.begin(), next.end());
        CO_CHECK(co_await stream_.write(pieces, limits::write_stall_max));
        sent += bytes;
        // One fast download must not starve the small requests beside it.
        if (sent < response.source_bytes) co_await yield();
    }
    co_return sent;
}

Task<> Connection::linger() {
    idle_ = true;  // Nothing is lost if a stop cuts it here.
    stream_.finish_writing();
    const auto end = std::chrono::steady_clock::now() + limits::linger_wait_max;
    // Small and not a transfer's buffer: those who linger must not use up what uploads and
    // downloads may have.
    std::array<std::byte, read_step_bytes> waste;
    for (std::size_t reads = 1;; ++reads) {
        const auto left = end - std::chrono::steady_clock::now();
        if (left <= left.zero() || share_.stopping) co_return;
        const auto n = co_await stream_.read_some(waste, left);
        if (!n || *n == 0) co_return;
        if (reads % lingering_reads_per_turn == 0) co_await yield();
    }
}

}  // namespace satchel::http
