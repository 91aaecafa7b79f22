// HTTP requests and responses as handlers see them. Knows nothing of attachments.
#pragma once

#include "base/async.hpp"
#include "base/bytes.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace satchel::http {

enum class Method : std::uint8_t { get, head, post, put, delete_, options, patch, other };

using Header = std::pair<std::string_view, std::string_view>;

// A request's body, pulled by the handler. What is not read is drained or the connection closed.
class Body {
public:
    virtual ~Body() = default;
    // The next bytes into the front of `target`; 0 means the body is complete. The first call
    // answers "Expect: 100-continue". Errors: timed_out when nothing came for
    // limits::body_stall_max; invalid_argument when the client hung up or broke the framing.
    virtual Async<std::size_t> read(std::span<std::byte> target) = 0;
    // As read(), but returns less than target.size() only at the end of the body.
    virtual Async<std::size_t> fill(std::span<std::byte> target) = 0;
    // The whole body. Errc::too_large if it is longer than `max`.
    virtual Async<std::string> read_all(std::size_t max) = 0;
};

// Views are valid until the handler returns.
struct Request {
    Method method = Method::other;
    std::string_view method_text;
    std::string_view path;            // Raw, percent-encoded, begins with '/'.
    std::string_view query;           // Raw, without '?'.
    std::span<const Header> headers;  // As received, in order.
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    std::string_view trace_id;  // 32 hex digits; also sent as X-Trace-ID.
    Body* body = nullptr;       // Never null.
    // Which of its routes the handler chose, for logs and metrics: static storage.
    std::string_view route = "none";

    // The first header of that name (case-insensitive).
    std::optional<std::string_view> header(std::string_view name) const;
};

// A response body that is made while it is sent.
class Source {
public:
    virtual ~Source() = default;
    // The next pieces; none means the end. They stay valid until the next call. On an error the
    // connection is cut, so that the client cannot take the part for the whole.
    virtual Async<> next(std::vector<ByteView>& pieces) = 0;
    // Turns true, perhaps on another thread, when nothing more of it may be sent. The connection
    // is then reset: what the system still held of it is dropped. Null: never. Lives as long as
    // the source.
    virtual const std::atomic<bool>* withdrawn() const { return nullptr; }
};

struct Response {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;  // Without Content-Length.
    std::string body;
    std::unique_ptr<Source> source;  // Instead of body, with its exact length:
    std::uint64_t source_bytes = 0;
    bool close = false;  // Close the connection after this.

    Response& with(std::string name, std::string value) {
        headers.emplace_back(std::move(name), std::move(value));
        return *this;
    }
};

// Answers requests. One instance serves every loop at once; it outlives the server.
class Handler {
public:
    virtual ~Handler() = default;
    // Exceptions are logged and answered with refusal(internal_error).
    virtual Task<Response> handle(Request& request) = 0;
    // The answer to what never became a Request, or whose handler threw.
    virtual Response refusal(const Error& error, std::string_view trace_id) = 0;
    // Called once for each answered request, after the response was sent or failed.
    struct Outcome {
        int status = 0;
        std::uint64_t bytes_sent = 0;
        std::chrono::steady_clock::duration took{};
        bool cut = false;  // The connection broke before the response was out.
    };
    virtual void answered(const Request& request, const Outcome& outcome) = 0;
};

}  // namespace satchel::http
