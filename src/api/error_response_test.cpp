#include "api/error_response.hpp"

#include "model/api_errors.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace satchel::api {
namespace {

constexpr std::string_view trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";

std::string header(const http::Response& response, std::string_view name) {
    for (const auto& [field, value] : response.headers) {
        if (field == name) return value;
    }
    return {};
}

TEST(ErrorResponse, has_every_field_of_the_envelope) {
    for (const Reason* reason : reasons::all()) {
        Error error;
        error.reason = reason;
        const auto response = error_response(error, trace_id);
        const auto body = boost::json::parse(response.body).as_object();
        const auto& inner = body.at("error").as_object();
        EXPECT_EQ(response.status, reason->status);
        EXPECT_EQ(body.at("success"), false);
        EXPECT_EQ(body.at("trace_id").as_string(), std::string(trace_id));
        EXPECT_EQ(inner.at("status").as_int64(), reason->status);
        EXPECT_EQ(inner.at("code").as_int64(), reason->code);
        EXPECT_FALSE(inner.at("message").as_string().empty());
        EXPECT_EQ(inner.at("doc_url").as_string(), reasons::doc_url(*reason));
        EXPECT_EQ(header(response, "Content-Type"), "application/json");
    }
}

TEST(ErrorResponse, a_detail_never_reaches_a_client) {
    Error error;
    error.detail = "SELECT key FROM secrets";
    for (const auto& response : {error_response(error, trace_id), xml_error(error, trace_id)}) {
        EXPECT_EQ(response.status, 500);
        EXPECT_EQ(response.body.find("SELECT"), std::string::npos);
    }
}

TEST(ErrorResponse, a_message_of_ours_replaces_the_tables) {
    Error error;
    error.reason = &reasons::invalid_parameter;
    error.message = "size_bytes must be at least 1";
    EXPECT_NE(error_response(error, trace_id).body.find("size_bytes must be at least 1"),
              std::string::npos);
}

TEST(ErrorResponse, what_may_be_tried_again_says_when) {
    Error busy;
    busy.code = Errc::unavailable;
    EXPECT_EQ(error_response(busy, trace_id).status, 503);
    EXPECT_EQ(header(error_response(busy, trace_id), "Retry-After"), "1");
    Error limited;
    limited.reason = &reasons::rate_limited;
    EXPECT_EQ(header(error_response(limited, trace_id), "Retry-After"), "1");
}

TEST(ErrorResponse, not_found_is_NoSuchKey_in_xml) {
    Error error;
    error.reason = &reasons::attachment_not_found;
    const auto response = xml_error(error, trace_id);
    EXPECT_EQ(response.status, 404);
    EXPECT_NE(response.body.find("<Code>NoSuchKey</Code>"), std::string::npos);
    EXPECT_NE(response.body.find(trace_id), std::string::npos);
}

}  // namespace
}  // namespace satchel::api
