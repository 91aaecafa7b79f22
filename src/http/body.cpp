#include "http/body.hpp"

#include "base/limits.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <cstring>

namespace satchel::http {
namespace {

namespace beast = boost::beast;

// Chunk headers, extensions and trailers may not make one decoding step larger than this.
constexpr std::size_t chunk_buffer_bytes = 8 * limits::KiB;

std::unexpected<Error> cut_short() {
    return fail(Errc::invalid_argument, "the client closed the connection inside a body");
}

}  // namespace

// Beast's chunk parser, handed the body's bytes as they come.
class ConnectionBody::Dechunker : public beast::http::basic_parser<true> {
public:
    Dechunker() {
        body_limit(boost::none);
        eager(true);
        static constexpr std::string_view head =
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        beast::error_code error;
        put(asio::const_buffer(head.data(), head.size()), error);
    }

    std::span<std::byte> target;
    std::size_t filled = 0;
    std::string raw;  // Read, not decoded yet.

private:
    using Code = beast::error_code;

    void on_request_impl(
        beast::http::verb, beast::string_view, beast::string_view, int, Code&) override {}
    void on_response_impl(int, beast::string_view, int, Code&) override {}
    void on_field_impl(beast::http::field, beast::string_view, beast::string_view, Code&) override {
    }
    void on_header_impl(Code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
    std::size_t on_body_impl(beast::string_view body, Code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, Code& error) override {
        const std::size_t n = std::min(body.size(), target.size() - filled);
        if (n == 0 && !body.empty()) {
            error = beast::http::error::need_buffer;
            return 0;
        }
        std::memcpy(target.data() + filled, body.data(), n);
        filled += n;
        return n;
    }
    void on_finish_impl(Code&) override {}
};

ConnectionBody::ConnectionBody(Stream& stream, const Head& head, std::string_view buffered)
    : stream_(stream),
      buffered_(buffered),
      remaining_(head.content_length.value_or(0)),
      dechunker_(head.chunked ? std::make_unique<Dechunker>() : nullptr),
      expects_continue_(head.expects_continue),
      complete_(!head.chunked && remaining_ == 0) {}

ConnectionBody::~ConnectionBody() = default;

std::optional<std::uint64_t> ConnectionBody::remaining() const {
    if (complete_) return 0;
    if (dechunker_) return std::nullopt;
    return remaining_;
}

Async<> ConnectionBody::send_continue() {
    if (!expects_continue_) co_return Result<>{};
    expects_continue_ = false;
    if (used_ < buffered_.size()) co_return Result<>{};  // The client did not wait.
    static constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
    const std::array pieces{as_bytes(line)};
    co_return co_await stream_.write(pieces, limits::write_stall_max);
}

// What came with the head, then the connection.
Async<std::size_t> ConnectionBody::read_raw(std::span<std::byte> target) {
    const std::string_view rest = buffered_.substr(used_);
    if (!rest.empty()) {
        const std::size_t n = std::min(rest.size(), target.size());
        std::memcpy(target.data(), rest.data(), n);
        used_ += n;
        co_return n;
    }
    CO_TRY(const std::size_t n, co_await stream_.read_some(target, limits::body_stall_max));
    if (n == 0) co_return cut_short();
    co_return n;
}

Async<std::size_t> ConnectionBody::read_chunked(std::span<std::byte> target) {
    Dechunker& dechunker = *dechunker_;
    dechunker.target = target;
    dechunker.filled = 0;
    while (true) {
        if (!dechunker.raw.empty()) {
            beast::error_code error;
            const std::size_t used = dechunker.put(
                asio::const_buffer(dechunker.raw.data(), dechunker.raw.size()), error);
            dechunker.raw.erase(0, used);
            if (dechunker.is_done()) {
                complete_ = true;
                // What follows is the next request; it cannot be given back to the connection.
                co_return dechunker.filled;
            }
            if (dechunker.filled > 0) co_return dechunker.filled;
            if (error && error != beast::http::error::need_more &&
                error != beast::http::error::need_buffer) {
                co_return fail(Errc::invalid_argument, "the chunked body is malformed");
            }
            if (dechunker.raw.size() >= chunk_buffer_bytes) {
                co_return fail(Errc::invalid_argument, "a chunk header is too long");
            }
        }
        std::array<std::byte, 4096> more;
        CO_TRY(const std::size_t n, co_await read_raw(more));
        dechunker.raw.append(as_text(std::span(more).first(n)));
    }
}

Async<std::size_t> ConnectionBody::read(std::span<std::byte> target) {
    if (complete_ || target.empty()) co_return std::size_t{0};
    auto n = co_await read_next(target);
    failed_ = !n;
    co_return n;
}

Async<std::size_t> ConnectionBody::read_next(std::span<std::byte> target) {
    CO_CHECK(co_await send_continue());
    if (dechunker_) co_return co_await read_chunked(target);
    if (target.size() > remaining_) target = target.first(static_cast<std::size_t>(remaining_));
    CO_TRY(const std::size_t n, co_await read_raw(target));
    remaining_ -= n;
    complete_ = remaining_ == 0;
    co_return n;
}

Async<std::size_t> ConnectionBody::fill(std::span<std::byte> target) {
    std::size_t filled = 0;
    while (filled < target.size() && !complete_) {
        CO_TRY(const std::size_t n, co_await read(target.subspan(filled)));
        filled += n;
    }
    co_return filled;
}

Async<std::string> ConnectionBody::read_all(std::size_t max) {
    if (!dechunker_ && remaining_ > max) co_return fail(Errc::too_large, "body over its limit");
    std::string text;
    std::size_t filled = 0;
    while (!complete_) {
        // One byte more than allowed shows that there is more.
        text.resize(std::min(
            max + 1, std::max<std::size_t>(filled + 4096, static_cast<std::size_t>(remaining_))));
        CO_TRY(const std::size_t n,
               co_await read(std::as_writable_bytes(std::span(text)).subspan(filled)));
        filled += n;
        if (filled > max) co_return fail(Errc::too_large, "body over its limit");
    }
    text.resize(filled);
    co_return text;
}

Task<bool> ConnectionBody::drain(std::size_t max) {
    if (complete_) co_return true;
    if (expects_continue_ || dechunker_ || remaining_ > max) co_return false;
    std::array<std::byte, 4096> waste;
    while (!complete_) {
        const auto n = co_await read(waste);
        if (!n) co_return false;
    }
    co_return true;
}

}  // namespace satchel::http
