#include "admin/multipart.hpp"

#include "base/limits.hpp"
#include "http/head.hpp"
#include "model/api_errors.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace satchel::admin {
namespace {

constexpr std::size_t read_bytes = 64 * limits::KiB;
constexpr std::size_t head_bytes_max = 4 * limits::KiB;
constexpr std::size_t boundary_characters_max = 70;  // RFC 2046.

std::unexpected<Error> broken() {
    return fail(reasons::invalid_request_body, "The body is not valid multipart/form-data");
}

// The value of `name` among the parameters of a header's value; quotes are taken off.
std::optional<std::string> parameter(std::string_view value, std::string_view name) {
    auto at = value.find(';');
    while (at != std::string_view::npos) {
        value.remove_prefix(at + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        const auto equals = value.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const bool is_it = http::equal_ignoring_case(value.substr(0, equals), name);
        value.remove_prefix(equals + 1);
        std::string out;
        std::size_t end = 0;
        if (value.starts_with('"')) {
            for (end = 1; end < value.size() && value[end] != '"'; ++end) {
                if (value[end] == '\\' && end + 1 < value.size() &&
                    (value[end + 1] == '"' || value[end + 1] == '\\')) {
                    ++end;
                }
                out += value[end];
            }
        } else {
            end = std::min(value.find(';'), value.size());
            out = value.substr(0, end);
            while (out.ends_with(' ')) out.pop_back();
        }
        if (is_it) return out;
        at = value.find(';', end);
    }
    return std::nullopt;
}

}  // namespace

MultipartReader::MultipartReader(std::string boundary, http::Body& body)
    : delimiter_("\r\n--" + std::move(boundary)), body_(&body), window_("\r\n") {}

Result<MultipartReader> MultipartReader::open(std::string_view content_type, http::Body& body) {
    static constexpr std::string_view type = "multipart/form-data";
    auto boundary = parameter(content_type, "boundary");
    const bool is_multipart = content_type.size() > type.size() &&
                              http::equal_ignoring_case(content_type.substr(0, type.size()), type);
    if (!is_multipart || !boundary || boundary->empty() ||
        boundary->size() > boundary_characters_max) {
        return fail(reasons::invalid_request_body, "The body must be multipart/form-data");
    }
    return MultipartReader(std::move(*boundary), body);
}

Async<bool> MultipartReader::read_more() {
    if (body_ended_) co_return false;
    window_.erase(0, at_);
    at_ = 0;
    const std::size_t before = window_.size();
    window_.resize(before + read_bytes);
    const auto target = std::as_writable_bytes(std::span(window_)).subspan(before);
    const auto got = co_await body_->read(target);
    if (!got) co_return broken();
    window_.resize(before + *got);
    body_ended_ = *got == 0;
    co_return !body_ended_;
}

Async<std::string> MultipartReader::read_line() {
    while (true) {
        const auto end = window_.find("\r\n", at_);
        if (end != std::string::npos) {
            std::string line = window_.substr(at_, end - at_);
            at_ = end + 2;
            co_return line;
        }
        if (window_.size() - at_ > head_bytes_max) co_return broken();
        CO_TRY(const bool more, co_await read_more());
        if (!more) co_return broken();
    }
}

Async<std::optional<PartHead>> MultipartReader::next() {
    if (ended_) co_return std::optional<PartHead>{};
    // To the end of the current part, or of what stands before the first.
    in_part_ = true;
    std::array<std::byte, 4096> ignored{};
    while (true) {
        CO_TRY(const std::size_t n, co_await fill(ignored));
        if (n < ignored.size()) break;
    }
    at_ += delimiter_.size();
    CO_TRY(const std::string rest, co_await read_line());
    if (rest == "--") {
        ended_ = true;
        co_return std::optional<PartHead>{};
    }
    if (rest.find_first_not_of(" \t") != std::string::npos) co_return broken();
    PartHead head;
    while (true) {
        CO_TRY(const std::string line, co_await read_line());
        if (line.empty()) break;
        const auto colon = line.find(':');
        if (colon == std::string::npos) co_return broken();
        std::string_view value = std::string_view(line).substr(colon + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        if (http::equal_ignoring_case(line.substr(0, colon), "content-disposition")) {
            head.name = parameter(value, "name").value_or("");
            head.filename = parameter(value, "filename").value_or("");
        } else if (http::equal_ignoring_case(line.substr(0, colon), "content-type")) {
            head.content_type = value;
        }
    }
    // A delimiter begins with the end of a line; an empty part has only the head's.
    while (window_.size() - at_ + 2 < delimiter_.size()) {
        at_ -= 2;
        const auto more = co_await read_more();
        at_ += 2;
        if (!more || !*more) co_return broken();
    }
    in_part_ = true;
    if (window_.compare(at_ - 2, delimiter_.size(), delimiter_) == 0) at_ -= 2;
    co_return std::optional<PartHead>{std::move(head)};
}

Async<std::size_t> MultipartReader::fill(std::span<std::byte> target) {
    std::size_t filled = 0;
    while (in_part_ && filled < target.size()) {
        const auto found = window_.find(delimiter_, at_);
        std::size_t ready = 0;
        if (found != std::string::npos) {
            ready = found - at_;
        } else if (window_.size() - at_ >= delimiter_.size()) {
            // The rest may be the beginning of a delimiter.
            ready = window_.size() - at_ - (delimiter_.size() - 1);
        }
        const std::size_t n = std::min(ready, target.size() - filled);
        std::memcpy(target.data() + filled, window_.data() + at_, n);
        at_ += n;
        filled += n;
        if (found != std::string::npos && at_ == found) {
            in_part_ = false;
        } else if (n == ready && filled < target.size()) {
            CO_TRY(const bool more, co_await read_more());
            if (!more) co_return broken();
        }
    }
    co_return filled;
}

Async<std::string> MultipartReader::read_text(std::size_t max) {
    std::string text(max + 1, '\0');
    CO_TRY(const std::size_t n, co_await fill(std::as_writable_bytes(std::span(text))));
    if (n > max) co_return fail(reasons::request_body_too_large);
    text.resize(n);
    co_return text;
}

}  // namespace satchel::admin
