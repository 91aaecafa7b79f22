#include "http/head.hpp"

#include "base/limits.hpp"

#include <gtest/gtest.h>

namespace satchel::http {
namespace {

std::string with_host(std::string_view rest) {
    return "GET /a?b=c HTTP/1.1\r\nHost: x\r\n" + std::string(rest) + "\r\n";
}

int status_of(std::string_view bytes) {
    const auto head = parse_head(bytes);
    return head ? 200 : head.error().status;
}

TEST(Head, gives_method_path_query_and_fields_as_received) {
    const std::string bytes =
        "PUT /_upload/a%20b?X=1&Y=%2F HTTP/1.1\r\nHost: h:1\r\nContent-Length: 12\r\n"
        "Expect: 100-continue\r\nX-Odd:  two  words \r\n\r\n";
    const auto head = parse_head(bytes);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->method, Method::put);
    EXPECT_EQ(head->path, "/_upload/a%20b");
    EXPECT_EQ(head->query, "X=1&Y=%2F");
    EXPECT_EQ(head->content_length, 12U);
    EXPECT_TRUE(head->expects_continue);
    EXPECT_TRUE(head->keep_alive);
    ASSERT_EQ(head->headers.size(), 4U);
    EXPECT_EQ(head->headers[3].first, "X-Odd");
    EXPECT_EQ(head->headers[3].second, "two  words");
}

TEST(Head, an_absolute_target_is_taken_for_its_path) {
    const std::string bytes = "GET http://a.example/p?q HTTP/1.1\r\nHost: a.example\r\n\r\n";
    const auto head = parse_head(bytes);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->path, "/p");
    EXPECT_EQ(head->query, "q");
    EXPECT_EQ(status_of("GET http://a.example HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    EXPECT_EQ(status_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(status_of("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(Head, refuses_what_two_servers_could_read_differently) {
    struct Case {
        std::string_view rest;
        int status;
    };
    const std::array cases{
        Case{"Host: y\r\n", 400},
        Case{"Content-Length: 3\r\nContent-Length: 3\r\n", 400},
        Case{"Content-Length: 3\r\nContent-Length: 4\r\n", 400},
        Case{"Content-Length: +3\r\n", 400},
        Case{"Content-Length: -1\r\n", 400},
        Case{"Content-Length: 18446744073709551616\r\n", 400},
        Case{"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400},
        Case{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
        Case{"Transfer-Encoding: gzip, chunked\r\n", 501},
        Case{"Transfer-Encoding: xchunked\r\n", 501},
        Case{"Transfer-Encoding: chunked, identity\r\n", 501},
        Case{"X: 1\r\n folded\r\n", 400},
        Case{"X : 1\r\n", 400},
        Case{"Expect: something\r\n", 417},
        Case{"", 200},
        Case{"Transfer-Encoding: Chunked\r\n", 200},
    };
    for (const Case& c : cases) EXPECT_EQ(status_of(with_host(c.rest)), c.status) << c.rest;
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 200);
    EXPECT_EQ(status_of("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    EXPECT_NE(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 200);
    EXPECT_EQ(status_of(std::string("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29)), 400);
}

TEST(Head, the_number_of_fields_is_limited) {
    std::string fields;
    for (std::size_t i = 0; i + 1 < limits::request_headers_max; ++i) fields += "A: b\r\n";
    EXPECT_EQ(status_of(with_host(fields)), 200);
    EXPECT_EQ(status_of(with_host(fields + "A: b\r\n")), 431);
}

TEST(Head, its_end_is_found_wherever_the_bytes_were_cut) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
    const std::size_t end = bytes.size() - 4;
    for (std::size_t cut = 0; cut < end; ++cut) {
        EXPECT_FALSE(find_head_end(std::string_view(bytes).substr(0, cut), 0));
        EXPECT_EQ(find_head_end(bytes, cut), end) << "cut at " << cut;
    }
}

}  // namespace
}  // namespace satchel::http
