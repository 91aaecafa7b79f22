#include "admin/render.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "model/api_errors.hpp"

#include <boost/json.hpp>

namespace satchel::admin {
namespace {

namespace json = boost::json;

int status_of(const Error& error) {
    if (error.reason != nullptr) return error.reason->status;
    switch (error.code) {
        case Errc::invalid_argument:
            return 400;
        case Errc::unauthenticated:
            return 401;
        case Errc::permission_denied:
            return 403;
        case Errc::not_found:
            return 404;
        case Errc::conflict:
            return 409;
        case Errc::too_large:
            return 413;
        case Errc::rate_limited:
            return 429;
        case Errc::timed_out:
            return 408;
        case Errc::unavailable:
            return 503;
        case Errc::corrupt:
        case Errc::internal:
            return 500;
    }
    return 500;
}

std::string_view message_of(const Error& error, int status) {
    if (!error.message.empty()) return error.message;
    if (error.reason != nullptr) return error.reason->message;
    if (status == 503) return "the server is busy or its disk is full; see its log and try again";
    return "the server could not do it; see its log for the trace id";
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

const json::value* find_field(const json::object& object, std::string_view name) {
    const auto* field = object.if_contains({name.data(), name.size()});
    return field == nullptr || field->is_null() ? nullptr : field;
}

std::unexpected<Error> missing(std::string_view name) {
    return fail(reasons::missing_required_field, std::string(name) + " is required");
}

}  // namespace

http::Response json_response(int status, const json::value& body) {
    http::Response response;
    response.status = status;
    response.with("Content-Type", "application/json").with("Cache-Control", "no-store");
    response.body = json::serialize(body);
    return response;
}

http::Response no_content() {
    http::Response response;
    response.status = 204;
    return response;
}

http::Response error_response(const Error& error, std::string_view trace_id) {
    const int status = status_of(error);
    if (status >= 500 || !error.detail.empty()) {
        log::error("admin_request_failed",
                   {{"trace_id", trace_id}, {"status", status}, {"detail", error.detail}});
    }
    json::object inner{{"status", status}};
    if (error.reason != nullptr) inner["code"] = error.reason->code;
    const std::string_view message = message_of(error, status);
    inner["message"] = json::string_view(message.data(), message.size());
    return json_response(
        status, json::object{{"success", false},
                             {"error", std::move(inner)},
                             {"trace_id", json::string(trace_id.data(), trace_id.size())}});
}

Async<json::object> read_object(http::Request& request) {
    auto body = co_await request.body->read_all(limits::json_body_bytes_max);
    if (!body && body.error().code == Errc::too_large) {
        co_return fail(reasons::request_body_too_large);
    }
    if (!body) co_return std::unexpected(std::move(body).error());
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    boost::system::error_code error;
    json::value value = json::parse(*body, error, {}, options);
    if (error || !value.is_object()) {
        co_return fail(reasons::invalid_request_body, "the body must be a JSON object");
    }
    co_return std::move(value.as_object());
}

Result<std::string> string_field(const json::object& object, std::string_view name) {
    const auto* field = find_field(object, name);
    if (field == nullptr) return missing(name);
    if (!field->is_string()) {
        return fail(reasons::invalid_request_body, std::string(name) + " must be a string");
    }
    const auto& text = field->get_string();
    return std::string(text.data(), text.size());
}

Result<std::int64_t> integer_field(const json::object& object, std::string_view name) {
    const auto* field = find_field(object, name);
    if (field == nullptr) return missing(name);
    boost::system::error_code error;
    const auto number = field->to_number<std::int64_t>(error);
    if (error) {
        return fail(reasons::invalid_request_body, std::string(name) + " must be an integer");
    }
    return number;
}

Result<std::string> decode_segment(std::string_view segment) {
    std::string text;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] != '%') {
            text += segment[i];
            continue;
        }
        const int high = i + 2 < segment.size() ? hex_digit(segment[i + 1]) : -1;
        const int low = i + 2 < segment.size() ? hex_digit(segment[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return fail(reasons::invalid_parameter,
                        "the path is not percent-encoded as it must be");
        }
        text += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return text;
}

}  // namespace satchel::admin
