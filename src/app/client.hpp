// A small blocking HTTP/1.1 client for the command line: one request, one connection, a
// deadline on every wait.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace satchel::app {

struct ClientRequest {
    std::string method;
    std::string url;                                           // http:// or https://
    std::vector<std::pair<std::string, std::string>> headers;  // Without Host, Content-Length.
    std::string body;
    // Sent instead of `body`, as it is read.
    std::optional<std::filesystem::path> file;
    // Called as the file goes out.
    std::function<void(std::uint64_t sent, std::uint64_t total)> progress;
};

struct ClientResponse {
    int status = 0;
    std::string body;
};

// Errors: invalid_argument (the URL or the file cannot be used), unavailable (nobody answers),
// timed_out. The `message` is one line that names the host and what to do. Any status is a value.
Result<ClientResponse> send_request(const ClientRequest& request);

struct ParsedUrl {
    bool secure = false;
    std::string host;  // Without brackets.
    std::string port;
    std::string authority;  // As in the Host header.
    std::string target;     // Path and query, at least "/".
};
std::optional<ParsedUrl> parse_url(std::string_view url);

}  // namespace satchel::app
