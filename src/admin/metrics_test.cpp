#include "admin/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace satchel::admin {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

TEST(Metrics, requests_are_counted_by_route_and_status) {
    Metrics metrics;
    metrics.observe("upload", {.status = 200, .bytes_sent = 100, .took = 3ms});
    metrics.observe("upload", {.status = 200, .bytes_sent = 50, .took = 300ms});
    metrics.observe("upload", {.status = 403, .bytes_sent = 1, .took = 1ms, .cut = true});
    const std::string text = metrics.text();
    EXPECT_THAT(text,
                HasSubstr("satchel_http_requests_total{route=\"upload\",status=\"200\"} 2\n"));
    EXPECT_THAT(text,
                HasSubstr("satchel_http_requests_total{route=\"upload\",status=\"403\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("satchel_http_request_seconds_count{route=\"upload\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("satchel_http_bytes_sent_total 151\n"));
    EXPECT_THAT(text, HasSubstr("satchel_http_cut_total 1\n"));
}

TEST(Metrics, values_are_read_when_the_page_is_made) {
    Metrics metrics;
    double commits = 1;
    metrics.counter("satchel_commits_total", "Commits.", [&commits] { return commits; });
    metrics.gauge("satchel_connections", "Connections.", [] { return 7.0; });
    commits = 2;
    const std::string text = metrics.text();
    EXPECT_THAT(text, HasSubstr("# TYPE satchel_commits_total counter\nsatchel_commits_total 2\n"));
    EXPECT_THAT(text, HasSubstr("# TYPE satchel_connections gauge\nsatchel_connections 7\n"));
}

}  // namespace
}  // namespace satchel::admin
