#include "api/error_response.hpp"

#include "base/log.hpp"
#include "model/api_errors.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace satchel::api {
namespace {

constexpr std::uint32_t retry_after_default_seconds = 1;

void log_failure(const Error& error, const Reason& reason, std::string_view trace_id) {
    const bool is_ours = error.code == Errc::internal || error.code == Errc::unavailable ||
                         error.code == Errc::corrupt || error.code == Errc::timed_out;
    if (reason.status < 500 || !is_ours) return;
    log::error("request_failed",
               {{"trace_id", trace_id}, {"code", reason.code}, {"detail", error.detail}});
}

const Reason& reason_of(const Error& error) {
    if (error.reason != nullptr) return *error.reason;
    return error.code == Errc::unavailable ? reasons::overloaded : reasons::internal_error;
}

}  // namespace

http::Response error_response(const Error& error, std::string_view trace_id) {
    const Reason& reason = reason_of(error);
    log_failure(error, reason, trace_id);
    const std::string_view message =
        error.message.empty() ? reason.message : std::string_view(error.message);
    boost::json::object body{
        {"status", reason.status},
        {"code", reason.code},
        {"message", boost::json::string_view(message.data(), message.size())},
        {"doc_url", reasons::doc_url(reason)},
    };
    http::Response response;
    response.status = reason.status;
    response.with("Content-Type", "application/json");
    if (reason.status == 401) response.with("WWW-Authenticate", "Bearer");
    const std::uint32_t retry_after =
        error.retry_after_seconds > 0 ? error.retry_after_seconds : retry_after_default_seconds;
    if (reason.status == 429 || reason.status == 503) {
        response.with("Retry-After", std::to_string(retry_after));
    }
    if (reason.status == 429) body["retry_after"] = retry_after;
    // A retry of what conflicts would conflict again: SDKs obey this header.
    if (reason.status == 409) response.with("x-should-retry", "false");
    response.body = boost::json::serialize(boost::json::object{
        {"success", false},
        {"error", std::move(body)},
        {"trace_id", boost::json::string_view(trace_id.data(), trace_id.size())},
    });
    return response;
}

http::Response method_not_allowed(std::string allowed, std::string_view trace_id) {
    Error error;
    error.code = reasons::method_not_allowed.errc;
    error.reason = &reasons::method_not_allowed;
    http::Response response = error_response(error, trace_id);
    response.with("Allow", std::move(allowed));
    return response;
}

http::Response xml_error(int status,
                         std::string_view code,
                         std::string_view message,
                         std::string_view trace_id) {
    http::Response response;
    response.status = status;
    response.with("Content-Type", "application/xml");
    response.with("Cache-Control", "no-store");
    response.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>";
    response.body += code;
    response.body += "</Code><Message>";
    response.body += message;
    response.body += "</Message><RequestId>";
    response.body += trace_id;
    response.body += "</RequestId></Error>";
    return response;
}

http::Response xml_error(const Error& error, std::string_view trace_id) {
    const Reason& reason = reason_of(error);
    if (reason.status == 404) {
        return xml_error(404, "NoSuchKey", "The specified key does not exist.", trace_id);
    }
    log_failure(error, reason, trace_id);
    if (reason.status == 503) return busy(trace_id);
    return xml_error(500, "InternalError", "We encountered an internal error. Please try again.",
                     trace_id);
}

http::Response busy(std::string_view trace_id) {
    auto response = xml_error(503, "SlowDown", "The service is busy. Please try again.", trace_id);
    return std::move(response.with("Retry-After", std::to_string(retry_after_default_seconds)));
}

}  // namespace satchel::api
