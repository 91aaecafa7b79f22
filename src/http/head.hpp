// The head of an HTTP/1.x request: syntax, framing and the rules that a front proxy might
// otherwise read differently than we do.
#pragma once

#include "base/result.hpp"
#include "http/message.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace satchel::http {

// Views point into the bytes that were parsed.
struct Head {
    Method method = Method::other;
    std::string_view method_text;
    std::string_view path;
    std::string_view query;
    std::vector<Header> headers;
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    bool keep_alive = true;
    bool expects_continue = false;
};

// Why a head is refused.
struct HeadError {
    int status = 400;  // 400, 417, 431, 501 or 505.
    std::string_view message;
};

// Where the head ends (behind its blank line) in `bytes`; nullopt if it is not complete.
// `searched` bytes were looked at before.
std::optional<std::size_t> find_head_end(std::string_view bytes, std::size_t searched);

// `bytes`: one complete head, blank line included. Refused: anything but exactly one Host in
// HTTP/1.1, Transfer-Encoding other than exactly "chunked" or beside Content-Length, more than
// one Content-Length, folded lines, more than limits::request_headers_max headers.
std::expected<Head, HeadError> parse_head(std::string_view bytes);

bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace satchel::http
