#include "http/head.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

namespace satchel::http {
namespace {

namespace beast = boost::beast;

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

// Takes method, target and fields from Beast's parser without copying them.
class Collector : public beast::http::basic_parser<true> {
public:
    Head head;
    std::string_view target;
    bool too_many = false;
    unsigned version = 0;

private:
    using Code = beast::error_code;

    void on_request_impl(beast::http::verb verb,
                         beast::string_view method,
                         beast::string_view request_target,
                         int http_version,
                         Code&) override {
        switch (verb) {
            case beast::http::verb::get:
                head.method = Method::get;
                break;
            case beast::http::verb::head:
                head.method = Method::head;
                break;
            case beast::http::verb::post:
                head.method = Method::post;
                break;
            case beast::http::verb::put:
                head.method = Method::put;
                break;
            case beast::http::verb::delete_:
                head.method = Method::delete_;
                break;
            case beast::http::verb::options:
                head.method = Method::options;
                break;
            case beast::http::verb::patch:
                head.method = Method::patch;
                break;
            default:
                head.method = Method::other;
                break;
        }
        head.method_text = view(method);
        target = view(request_target);
        version = static_cast<unsigned>(http_version);
    }
    void on_response_impl(int, beast::string_view, int, Code&) override {}
    void on_field_impl(beast::http::field,
                       beast::string_view name,
                       beast::string_view value,
                       Code& error) override {
        if (head.headers.size() == limits::request_headers_max) {
            too_many = true;
            error = beast::http::error::header_limit;
            return;
        }
        head.headers.emplace_back(view(name), view(value));
    }
    void on_header_impl(Code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
    std::size_t on_body_impl(beast::string_view body, Code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, Code&) override {
        return body.size();
    }
    void on_finish_impl(Code&) override {}
};

std::unexpected<HeadError> refuse(int status, std::string_view message) {
    return std::unexpected(HeadError{status, message});
}

bool has_folded_line(std::string_view bytes) {
    for (auto at = bytes.find("\r\n"); at != std::string_view::npos && at + 2 < bytes.size();
         at = bytes.find("\r\n", at + 2)) {
        if (bytes[at + 2] == ' ' || bytes[at + 2] == '\t') return true;
    }
    return false;
}

// origin-form as it stands; absolute-form without scheme and authority (RFC 9112 section 3.2.2).
std::optional<std::string_view> origin_form(std::string_view target) {
    if (target.starts_with('/')) return target;
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.size() <= scheme.size() ||
            !equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
            continue;
        }
        const auto slash = target.find('/', scheme.size());
        return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
    }
    return std::nullopt;
}

struct Framing {
    int hosts = 0;
    int lengths = 0;
    int encodings = 0;
};

std::optional<HeadError> read_field(Head& head, Framing& seen, const Header& field) {
    const auto& [name, value] = field;
    // Sorted by length first: most names are settled by one comparison.
    if (name.size() == 4 && equal_ignoring_case(name, "host")) {
        ++seen.hosts;
    } else if (name.size() == 14 && equal_ignoring_case(name, "content-length")) {
        ++seen.lengths;
        head.content_length = parse_u64(value);
        if (!head.content_length) return HeadError{400, "Content-Length is not a number"};
    } else if (name.size() == 17 && equal_ignoring_case(name, "transfer-encoding")) {
        ++seen.encodings;
        head.chunked = true;
        if (!equal_ignoring_case(value, "chunked")) {
            return HeadError{501, "Transfer-Encoding must be chunked"};
        }
    } else if (name.size() == 6 && equal_ignoring_case(name, "expect")) {
        head.expects_continue = equal_ignoring_case(value, "100-continue");
        if (!head.expects_continue) {
            return HeadError{417, "The only supported expectation is 100-continue"};
        }
    }
    return std::nullopt;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::size_t> find_head_end(std::string_view bytes, std::size_t searched) {
    const auto end = bytes.find("\r\n\r\n", searched < 3 ? 0 : searched - 3);
    if (end == std::string_view::npos) return std::nullopt;
    return end + 4;
}

std::expected<Head, HeadError> parse_head(std::string_view bytes) {
    if (has_folded_line(bytes)) return refuse(400, "Folded header lines are not accepted");
    Collector parser;
    parser.header_limit(static_cast<std::uint32_t>(limits::request_head_bytes_max));
    parser.body_limit(boost::none);
    beast::error_code error;
    parser.put(asio::const_buffer(bytes.data(), bytes.size()), error);
    if (parser.too_many) return refuse(431, "Too many header fields");
    if (error == beast::http::error::bad_version) {
        return refuse(505, "Only HTTP/1.0 and HTTP/1.1 are supported");
    }
    if (error || !parser.is_header_done()) return refuse(400, "The request is not valid HTTP");

    Head head = std::move(parser.head);
    Framing seen;
    for (const Header& field : head.headers) {
        if (const auto refused = read_field(head, seen, field)) return std::unexpected(*refused);
    }
    if (seen.hosts > 1 || (seen.hosts == 0 && parser.version >= 11)) {
        return refuse(400, "Exactly one Host header is required");
    }
    if (seen.lengths > 1) return refuse(400, "More than one Content-Length");
    if (seen.encodings > 1) return refuse(400, "More than one Transfer-Encoding");
    if (head.chunked && (seen.lengths > 0 || parser.version < 11)) {
        return refuse(400, "Transfer-Encoding beside Content-Length or in HTTP/1.0");
    }
    if (parser.version < 11) head.expects_continue = false;
    head.keep_alive = parser.keep_alive() && parser.version >= 11;

    const auto target = origin_form(parser.target);
    if (!target) return refuse(400, "The request target must be a path or an http(s) URL");
    const auto question = target->find('?');
    head.path = target->substr(0, question);
    if (question != std::string_view::npos) head.query = target->substr(question + 1);
    return head;
}

}  // namespace satchel::http
