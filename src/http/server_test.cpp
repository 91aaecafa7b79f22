#include "http/server.hpp"

#include "tests/support/loop_thread.hpp"
#include "tests/support/raw_client.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace satchel::http {
namespace {

using test::LoopThread;
using test::RawClient;

// Echoes bodies; /stream sends a long body; /throw throws; /ignore answers without reading.
class EchoHandler : public Handler {
public:
    Task<Response> handle(Request& request) override {
        Response response;
        if (request.path == "/throw") throw std::runtime_error("secret detail");
        if (request.path == "/stream") {
            response.source = std::make_unique<Letters>();
            response.source_bytes = Letters::total;
            co_return response;
        }
        if (request.path == "/ignore") {
            response.status = 403;
            response.body = "no";
            co_return response;
        }
        const auto body = co_await request.body->read_all(1000);
        response.body = body ? *body : "error";
        response.status = body ? 200 : 400;
        co_return response;
    }

    Response refusal(const Error& error, std::string_view /*trace_id*/) override {
        Response response;
        response.status = error.reason != nullptr ? error.reason->status : 500;
        response.body = "refused";
        return response;
    }

    void answered(const Request& /*request*/, const Outcome& outcome) override {
        if (outcome.cut) ++cut;
    }

    std::atomic<int> cut{0};

private:
    struct Letters : Source {
        static constexpr std::uint64_t total = 3'000'000;
        Async<> next(std::vector<ByteView>& pieces) override {
            const auto n = std::min<std::uint64_t>(total - sent, text.size());
            pieces.push_back(as_bytes(text).first(static_cast<std::size_t>(n)));
            sent += n;
            co_return Result<>{};
        }
        std::string text = std::string(100'000, 'x');
        std::uint64_t sent = 0;
    };
};

struct ServerTest : testing::Test {
    ServerTest() {
        auto opened = Server::open({&loop.loop()}, {.address = "127.0.0.1"}, handler);
        server = std::move(*opened);
        server->start();
    }
    ~ServerTest() override { stop(std::chrono::seconds(5)); }

    void stop(std::chrono::seconds patience) {
        if (stopped) return;
        stopped = true;
        std::promise<void> done;
        server->stop(patience, [&done] { done.set_value(); });
        ASSERT_EQ(done.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
    }
    RawClient connect() { return RawClient(server->port()); }

    EchoHandler handler;
    LoopThread loop;
    std::unique_ptr<Server> server;
    bool stopped = false;
};

TEST_F(ServerTest, two_pipelined_requests_get_two_answers_in_order) {
    RawClient client = connect();
    client.send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo");
    EXPECT_EQ(client.receive().body, "one");
    EXPECT_EQ(client.receive().body, "two");
}

TEST_F(ServerTest, every_answer_has_its_own_trace_id) {
    RawClient client = connect();
    std::vector<std::string> ids;
    for (int i = 0; i < 2; ++i) {
        client.send("GET / HTTP/1.1\r\nHost: a\r\ntraceparent: 00-abc-def-01\r\n\r\n");
        const auto answer = client.receive();
        ids.push_back(answer.header("x-trace-id"));
        EXPECT_EQ(ids.back().size(), 32U);
        EXPECT_EQ(ids.back().find_first_not_of("0123456789abcdef"), std::string::npos);
    }
    EXPECT_NE(ids[0], ids[1]);
}

TEST_F(ServerTest, a_chunked_body_is_put_together) {
    RawClient client = connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("3;ext=1\r\nabc\r\n");
    client.send("4\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n");
    EXPECT_EQ(client.receive().body, "abcdefg");
}

TEST_F(ServerTest, a_malformed_or_overlong_chunk_is_an_error) {
    for (const char* body : {"zz\r\nabc\r\n", "ffffffffffffffffff\r\n", "3\r\nabcd\r\n0\r\n\r\n"}) {
        RawClient client = connect();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.send(body);
        EXPECT_EQ(client.receive().status, 400) << body;
    }
}

TEST_F(ServerTest, a_body_over_the_handlers_limit_is_not_read) {
    RawClient client = connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
    EXPECT_EQ(client.receive().status, 400);
}

TEST_F(ServerTest, continue_is_sent_once_somebody_reads) {
    RawClient client = connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.receive().status, 100);
    client.send("ok");
    EXPECT_EQ(client.receive().body, "ok");
}

TEST_F(ServerTest, a_refusal_comes_instead_of_continue_and_ends_the_connection) {
    RawClient client = connect();
    client.send(
        "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, a_short_body_that_nobody_read_leaves_the_connection_usable) {
    RawClient client = connect();
    client.send("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nwaste");
    EXPECT_EQ(client.receive().status, 403);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.receive().status, 200);
}

TEST_F(ServerTest, a_client_that_goes_on_sending_still_sees_the_refusal) {
    RawClient client = connect();
    client.send("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n");
    client.send(std::string(8'000'000, 'x'));
    EXPECT_EQ(client.receive().status, 403);
}

TEST_F(ServerTest, an_exception_is_a_500_that_tells_nothing) {
    RawClient client = connect();
    client.send("GET /throw HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body.find("secret"), std::string::npos);
}

TEST_F(ServerTest, an_oversized_head_is_refused_before_it_ends) {
    RawClient client = connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17'000, 'x'));
    EXPECT_EQ(client.receive().status, 431);
}

TEST_F(ServerTest, head_gets_the_length_and_no_body) {
    RawClient client = connect();
    client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.receive(RawClient::Body::none);
    EXPECT_EQ(answer.header("content-length"), "3000000");
    EXPECT_EQ(client.receive().status, 200);
}

TEST_F(ServerTest, a_long_body_arrives_whole) {
    RawClient client = connect();
    client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.receive().body.size(), 3'000'000U);
}

TEST_F(ServerTest, a_stop_ends_idle_connections_at_once_and_lets_a_request_finish) {
    RawClient idle = connect();
    idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(idle.receive().status, 200);
    RawClient busy = connect();
    busy.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(busy.receive().status, 100);  // The handler is reading now.

    std::promise<void> done;
    stopped = true;
    server->stop(std::chrono::seconds(20), [&done] { done.set_value(); });
    EXPECT_TRUE(idle.is_closed());
    busy.send("body");
    const auto answer = busy.receive();
    EXPECT_EQ(answer.body, "body");
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(15)), std::future_status::ready);
}

TEST_F(ServerTest, requests_that_are_here_already_do_not_keep_others_waiting) {
    RawClient flood = connect();
    std::string requests;
    for (int i = 0; i < 1'000; ++i) requests += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    std::atomic<bool> enough = false;
    std::jthread sender([&] {
        while (!enough) flood.send(requests);
    });
    std::jthread reader([&] {
        while (!enough && flood.receive().status == 200) {
        }
    });
    RawClient other = connect();
    other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(other.receive().status, 200);
    enough = true;
}

TEST_F(ServerTest, empty_lines_before_a_request_are_ignored) {
    RawClient client = connect();
    client.send("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.receive().status, 200);
}

TEST_F(ServerTest, a_stop_does_not_wait_for_half_a_head_or_for_a_client_that_lingers) {
    RawClient half = connect();
    half.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /ha");
    EXPECT_EQ(half.receive().status, 200);
    RawClient lingering = connect();
    lingering.send("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n");
    EXPECT_EQ(lingering.receive().status, 403);
    stop(std::chrono::seconds(60));  // Fails unless it ends long before that.
}

TEST_F(ServerTest, a_stop_cuts_what_does_not_end) {
    RawClient stuck = connect();
    stuck.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(stuck.receive().status, 100);
    stop(std::chrono::seconds(0));
    EXPECT_EQ(server->connections(), 0U);
}

TEST(Server, a_taken_port_is_a_clear_error) {
    EchoHandler handler;
    Loop loop;
    const auto first = Server::open({&loop}, {.address = "127.0.0.1"}, handler);
    ASSERT_TRUE(first);
    const auto second =
        Server::open({&loop}, {.address = "127.0.0.1", .port = (*first)->port()}, handler);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("cannot listen on 127.0.0.1:"), std::string::npos);
}

}  // namespace
}  // namespace satchel::http
