// multipart/form-data (RFC 7578), read part by part as the body comes in. Holds one window of
// it, however long a part is.
#pragma once

#include "http/message.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace satchel::admin {

struct PartHead {
    std::string name;
    std::string filename;      // Empty: none.
    std::string content_type;  // Empty: none.
};

class MultipartReader {
public:
    // reasons::invalid_request_body unless `content_type` is multipart/form-data with a boundary.
    static Result<MultipartReader> open(std::string_view content_type, http::Body& body);

    // The next part, what is left of the one before being skipped; nullopt behind the last.
    // reasons::invalid_request_body if the body is no multipart or ends early.
    Async<std::optional<PartHead>> next();
    // The current part's content; less than all of `target` only at its end.
    Async<std::size_t> fill(std::span<std::byte> target);
    // The whole of it. reasons::request_body_too_large beyond `max`.
    Async<std::string> read_text(std::size_t max);

private:
    MultipartReader(std::string boundary, http::Body& body);
    Async<bool> read_more();
    Async<std::string> read_line();

    std::string delimiter_;  // CRLF, two dashes, boundary.
    http::Body* body_;
    std::string window_;
    std::size_t at_ = 0;
    bool body_ended_ = false;
    bool in_part_ = false;
    bool ended_ = false;
};

}  // namespace satchel::admin
