#include "app/client.hpp"

#include "tests/support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace satchel::app {
namespace {

TEST(ParseUrl, takes_a_url_apart) {
    const auto url = parse_url("https://files.example.com/a/b?c=d#e");
    ASSERT_TRUE(url);
    EXPECT_TRUE(url->secure);
    EXPECT_EQ(url->host, "files.example.com");
    EXPECT_EQ(url->port, "443");
    EXPECT_EQ(url->authority, "files.example.com");
    EXPECT_EQ(url->target, "/a/b?c=d");
}

TEST(ParseUrl, knows_ports_addresses_and_bare_hosts) {
    EXPECT_EQ(parse_url("http://h")->target, "/");
    EXPECT_EQ(parse_url("http://h?x")->target, "/?x");
    EXPECT_EQ(parse_url("http://h:81/")->port, "81");
    EXPECT_EQ(parse_url("http://h:81/")->authority, "h:81");
    EXPECT_EQ(parse_url("http://[::1]:81/")->host, "::1");
    EXPECT_EQ(parse_url("http://[::1]/")->port, "80");
}

TEST(ParseUrl, refuses_what_is_none) {
    for (const char* text : {"", "h", "ftp://h", "http://", "http://:80", "http://h:", "http://h:0",
                             "http://h:65536", "http://h:x", "http://h/\r\nX: y", "http://h/a b"}) {
        EXPECT_FALSE(parse_url(text)) << text;
    }
}

TEST(SendRequest, what_cannot_be_sent_is_said_in_one_line) {
    ClientRequest request;
    request.method = "GET";
    request.url = "nonsense";
    EXPECT_EQ(send_request(request).error().code, Errc::invalid_argument);

    const test::TempFolder folder;
    request.method = "PUT";
    request.url = "http://127.0.0.1:1/";
    request.file = folder / "absent";
    const auto sent = send_request(request);
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, Errc::invalid_argument);
    EXPECT_THAT(sent.error().message, testing::HasSubstr("absent"));
}

}  // namespace
}  // namespace satchel::app
