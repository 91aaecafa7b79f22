#include "app/client.hpp"

#include "base/bytes.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <fstream>

namespace satchel::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<beast::tcp_stream>;
using ResponseParser = beast::http::response_parser<beast::http::string_body>;

constexpr auto connect_wait_max = std::chrono::seconds(10);
constexpr auto write_wait_max = std::chrono::seconds(30);
// The server syncs what it stored before it answers.
constexpr auto answer_wait_max = std::chrono::seconds(60);
constexpr std::size_t response_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t chunk_bytes = 256 * 1024;

std::unexpected<Error> failed(Errc code, std::string message) {
    Error error;
    error.code = code;
    error.message = std::move(message);
    return std::unexpected(std::move(error));
}

std::unexpected<Error> lost(const ParsedUrl& url, const error_code& error) {
    if (error == beast::error::timeout) {
        return failed(Errc::timed_out,
                      url.authority + " does not answer; see the server's log and try again");
    }
    if (error.category() == asio::error::get_ssl_category()) {
        return failed(Errc::unavailable,
                      "no TLS with " + url.authority + ": " + error.message() +
                          "; a certificate of your own is trusted with SSL_CERT_FILE=ca.pem");
    }
    return failed(Errc::unavailable,
                  "cannot talk to " + url.authority + ": " + error.message() +
                      "; check that the server runs and that the address is right");
}

// Starts one operation and runs it to its end: the stream's deadline bounds the wait.
template <class Start>
error_code finish(asio::io_context& loop, Start start) {
    error_code outcome = asio::error::would_block;
    start([&outcome](const error_code& error, auto&&...) { outcome = error; });
    loop.restart();
    loop.run();
    return outcome;
}

// One exchange on a connected stream, plain or TLS.
template <class Stream>
class Exchange {
public:
    Exchange(asio::io_context& loop, Stream& stream) : loop_(loop), stream_(stream) {}

    error_code send(std::string_view bytes) {
        wait_at_most(write_wait_max);
        return finish(loop_, [&](auto done) {
            asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), std::move(done));
        });
    }

    error_code receive(ResponseParser& parser) {
        wait_at_most(answer_wait_max);
        return finish(loop_, [&](auto done) {
            beast::http::async_read(stream_, buffer_, parser, std::move(done));
        });
    }

private:
    void wait_at_most(std::chrono::seconds patience) {
        beast::get_lowest_layer(stream_).expires_after(patience);
    }

    asio::io_context& loop_;
    Stream& stream_;
    beast::flat_buffer buffer_{response_bytes_max};
};

struct Outgoing {
    std::string head;
    std::string_view body;
    std::ifstream file;
    std::uint64_t file_bytes = 0;
};

Result<Outgoing> prepare(const ClientRequest& request, const ParsedUrl& url) {
    Outgoing out;
    std::uint64_t length = request.body.size();
    out.body = request.body;
    if (request.file) {
        std::error_code error;
        length = std::filesystem::file_size(*request.file, error);
        out.file.open(*request.file, std::ios::binary);
        if (error || !out.file) {
            return failed(Errc::invalid_argument, "cannot read " + request.file->string() +
                                                      "; check the path and its permissions");
        }
        out.file_bytes = length;
        out.body = {};
    }
    out.head = request.method + " " + url.target + " HTTP/1.1\r\nHost: " + url.authority +
               "\r\nConnection: close\r\nUser-Agent: satchel\r\n";
    if (length > 0 || request.method != "GET") {
        out.head += "Content-Length: " + std::to_string(length) + "\r\n";
    }
    for (const auto& [name, value] : request.headers) {
        out.head.append(name).append(": ").append(value).append("\r\n");
    }
    out.head += "\r\n";
    return out;
}

template <class Stream>
error_code send_file(Exchange<Stream>& exchange, Outgoing& out, const ClientRequest& request) {
    std::string chunk;
    for (std::uint64_t sent = 0; sent < out.file_bytes;) {
        chunk.resize(std::min<std::uint64_t>(chunk_bytes, out.file_bytes - sent));
        out.file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
        if (out.file.gcount() != static_cast<std::streamsize>(chunk.size())) {
            return asio::error::eof;  // The file became shorter.
        }
        if (const auto error = exchange.send(chunk)) return error;
        sent += chunk.size();
        if (request.progress) request.progress(sent, out.file_bytes);
    }
    return {};
}

template <class Stream>
Result<ClientResponse> run(asio::io_context& loop,
                           Stream& stream,
                           const ParsedUrl& url,
                           const ClientRequest& request,
                           Outgoing& out) {
    Exchange<Stream> exchange(loop, stream);
    error_code sent = exchange.send(out.head);
    if (!sent && !out.body.empty()) sent = exchange.send(out.body);
    if (!sent && out.file_bytes > 0) sent = send_file(exchange, out, request);
    if (sent == beast::error::timeout) return lost(url, sent);
    // A server that refuses a body may answer and hang up before it has read all of it.
    ResponseParser parser;
    parser.body_limit(response_bytes_max);
    const error_code received = exchange.receive(parser);
    if (received) return lost(url, sent ? sent : received);
    auto message = parser.release();
    return ClientResponse{static_cast<int>(message.result_int()), std::move(message.body())};
}

Result<> connect(asio::io_context& loop, beast::tcp_stream& stream, const ParsedUrl& url) {
    error_code error;
    asio::ip::tcp::resolver resolver(loop);
    const auto addresses = resolver.resolve(url.host, url.port, error);
    if (error) return lost(url, error);
    stream.expires_after(connect_wait_max);
    error = finish(loop, [&](auto done) { stream.async_connect(addresses, std::move(done)); });
    if (error) return lost(url, error);
    stream.socket().set_option(asio::ip::tcp::no_delay(true), error);
    return {};
}

Result<ClientResponse> run_secure(asio::io_context& loop,
                                  const ParsedUrl& url,
                                  const ClientRequest& request,
                                  Outgoing& out) {
    asio::ssl::context tls(asio::ssl::context::tls_client);
    error_code error;
    tls.set_default_verify_paths(error);
    tls.set_verify_mode(asio::ssl::verify_peer);
    SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
    TlsStream stream(loop, tls);
    stream.set_verify_callback(asio::ssl::host_name_verification(url.host));
    SSL_set_tlsext_host_name(stream.native_handle(), url.host.c_str());
    CHECK(connect(loop, stream.next_layer(), url));
    stream.next_layer().expires_after(connect_wait_max);
    error = finish(loop, [&](auto done) {
        stream.async_handshake(asio::ssl::stream_base::client, std::move(done));
    });
    if (error) return lost(url, error);
    return run(loop, stream, url, request, out);
}

}  // namespace

std::optional<ParsedUrl> parse_url(std::string_view url) {
    ParsedUrl parsed;
    const auto scheme_end = url.find("://");
    if (scheme_end == std::string_view::npos) return std::nullopt;
    const std::string_view scheme = url.substr(0, scheme_end);
    if (scheme != "http" && scheme != "https") return std::nullopt;
    parsed.secure = scheme == "https";
    const std::string_view rest = url.substr(scheme_end + 3);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    parsed.target = rest.substr(authority.size());
    parsed.target = parsed.target.substr(0, parsed.target.find('#'));
    if (!parsed.target.starts_with('/')) parsed.target.insert(0, 1, '/');
    parsed.authority = authority;
    std::string_view host = authority;
    parsed.port = parsed.secure ? "443" : "80";
    const auto colon = authority.rfind(':');
    const auto bracket = authority.rfind(']');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
        host = authority.substr(0, colon);
        parsed.port = authority.substr(colon + 1);
        const auto number = parse_u64(parsed.port);
        if (!number || *number == 0 || *number > 65535) return std::nullopt;
    }
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    parsed.host = host;
    const auto is_unfit = [](char c) { return c <= 0x20 || c == 0x7f; };
    if (host.empty() || std::ranges::any_of(url, is_unfit)) return std::nullopt;
    return parsed;
}

Result<ClientResponse> send_request(const ClientRequest& request) {
    const auto url = parse_url(request.url);
    if (!url) {
        return failed(Errc::invalid_argument,
                      "\"" + request.url + "\" is not a URL; it begins with http:// or https://");
    }
    TRY(Outgoing out, prepare(request, *url));
    asio::io_context loop(1);
    if (url->secure) return run_secure(loop, *url, request, out);
    beast::tcp_stream stream(loop);
    CHECK(connect(loop, stream, *url));
    return run(loop, stream, *url, request, out);
}

}  // namespace satchel::app
