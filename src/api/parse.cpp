#include "api/parse.hpp"

#include <boost/json/parse.hpp>

#include <limits>

namespace satchel::api {
namespace {

namespace json = boost::json;

Result<const json::value*> required(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains({name.data(), name.size()});
    if (value == nullptr || value->is_null()) {
        return fail(reasons::missing_required_field, std::string(name) + " is required");
    }
    return value;
}

}  // namespace

Async<std::string> read_json_body(http::Request& request, std::size_t max) {
    auto body = co_await request.body->read_all(max);
    if (!body && body.error().code == Errc::too_large) {
        co_return fail(reasons::request_body_too_large,
                       "The request body must not exceed " + std::to_string(max) + " bytes");
    }
    if (!body) {
        co_return fail(reasons::invalid_request_body, "The request body did not arrive whole");
    }
    co_return std::move(*body);
}

Result<json::object> parse_object(std::string_view text) {
    json::parse_options options;
    options.max_depth = limits::json_depth_max;
    boost::system::error_code error;
    json::value value = json::parse({text.data(), text.size()}, error, {}, options);
    if (error == json::error::too_deep) {
        return fail(reasons::invalid_request_body, "The request body is nested deeper than " +
                                                       std::to_string(limits::json_depth_max) +
                                                       " levels");
    }
    if (error) return fail(reasons::invalid_request_body, "The request body is not valid JSON");
    if (!value.is_object()) {
        return fail(reasons::invalid_request_body, "The request body must be a JSON object");
    }
    return std::move(value.as_object());
}

Result<std::string> required_string(const json::object& object, std::string_view name) {
    TRY(const json::value* value, required(object, name));
    if (!value->is_string()) {
        return fail(reasons::invalid_request_body, std::string(name) + " must be a string");
    }
    const json::string& text = value->get_string();
    return std::string(text.data(), text.size());
}

Result<std::int64_t> required_integer(const json::object& object, std::string_view name) {
    TRY(const json::value* value, required(object, name));
    if (value->is_int64()) return value->get_int64();
    if (value->is_uint64()) return std::numeric_limits<std::int64_t>::max();
    return fail(reasons::invalid_request_body, std::string(name) + " must be an integer");
}

}  // namespace satchel::api
