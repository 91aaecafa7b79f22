#include "fetch/fetch_suite.hpp"

#include <atomic>

namespace satchel::fetch {
namespace {

using test::Origin;
using test::OriginConnection;
using test::replying;

struct PostTest : FetchTest {};

std::string status_answer(std::string_view status, std::string_view headers = {}) {
    return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(headers) +
           "Content-Length: 0\r\n\r\n";
}

TEST_F(PostTest, the_receiver_gets_the_body_and_the_headers_it_was_given) {
    std::string head;
    std::string body;
    const Origin origin(replying([&](const std::string& h, const std::string& b) {
        head = h;
        body = b;
        return status_answer("200 OK");
    }));
    open_for({&origin});
    const Posted posted = post(url(origin, "/hook?version=1"), R"({"a":1})");
    EXPECT_EQ(posted.failure, Failure::none);
    EXPECT_EQ(posted.status, 200);
    EXPECT_EQ(body, R"({"a":1})");
    EXPECT_EQ(head,
              "POST /hook?version=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(origin.port()) +
                  "\r\nUser-Agent: Satchel\r\nAccept: */*\r\n"
                  "Content-Type: application/json\r\nwebhook-id: evt_1\r\n"
                  "Content-Length: 7\r\n\r\n");
}

TEST_F(PostTest, a_large_body_is_sent_whole_without_asking_first) {
    const std::string large(3'000'000, 'x');
    std::atomic<bool> same = false;
    const Origin origin(replying([&](const std::string& head, const std::string& body) {
        same = body == large && head.find("Expect") == std::string::npos;
        return status_answer("200 OK");
    }));
    open_for({&origin});
    EXPECT_EQ(post(url(origin), large).status, 200);
    EXPECT_TRUE(same);
}

TEST_F(PostTest, a_body_that_starts_like_a_file_name_is_a_body) {
    std::string body;
    const Origin origin(replying([&](auto&, const std::string& b) {
        body = b;
        return status_answer("200 OK");
    }));
    open_for({&origin});
    post(url(origin), "@/etc/passwd");
    EXPECT_EQ(body, "@/etc/passwd");
    post(url(origin), "");
    EXPECT_EQ(body, "");
}

TEST_F(PostTest, every_status_is_returned_and_no_redirect_is_followed) {
    const Origin elsewhere(replying([](auto&, auto&) { return status_answer("200 OK"); }));
    const std::string location = "Location: " + url(elsewhere) + "\r\n";
    for (const char* status : {"200 OK", "204 No Content", "301 Moved", "302 Found", "307 Moved",
                               "308 Moved", "401 Unauthorized", "410 Gone", "429 Slow", "500 No"}) {
        const Origin origin(
            replying([&](auto&, auto&) { return status_answer(status, location); }));
        open_for({&origin, &elsewhere});
        const Posted posted = post(url(origin));
        EXPECT_EQ(posted.failure, Failure::none) << status;
        EXPECT_EQ(posted.status, std::atoi(status));
    }
    EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_F(PostTest, as_much_of_the_answer_is_kept_as_was_asked_for) {
    const Origin origin(replying([](auto&, auto&) {
        return std::string("HTTP/1.1 400 Bad\r\nContent-Length: 10\r\n\r\n0123456789");
    }));
    open_for({&origin});
    const auto kept = [&](std::size_t bytes_max) {
        PostRequest request;
        request.url = url(origin);
        request.partner = "partner";
        request.total_max = 20s;
        request.answer_bytes_max = bytes_max;
        const auto posted = test::run(fetcher->post(std::move(request)));
        EXPECT_TRUE(posted && posted->failure == Failure::none && posted->status == 400);
        return posted ? posted->body : "no answer";
    };
    EXPECT_EQ(kept(0), "");
    EXPECT_EQ(kept(4), "0123");
    EXPECT_EQ(kept(10), "0123456789");
    EXPECT_EQ(kept(100), "0123456789");
}

TEST_F(PostTest, an_answer_that_breaks_off_keeps_its_status) {
    const Origin origin(replying([](auto&, auto&) {
        return std::string("HTTP/1.1 202 Yes\r\nConnection: close\r\nContent-Length: 10\r\n\r\n{");
    }));
    open_for({&origin});
    PostRequest request;
    request.url = url(origin);
    request.partner = "partner";
    request.total_max = 500ms;
    request.answer_bytes_max = 100;
    const auto posted = test::run(fetcher->post(std::move(request)));
    ASSERT_TRUE(posted);
    EXPECT_EQ(posted->failure, Failure::none);
    EXPECT_EQ(posted->status, 202);
}

TEST_F(PostTest, a_slow_receiver_times_out) {
    const Origin origin([](OriginConnection& connection) { connection.wait_until_peer_leaves(); });
    open_for({&origin});
    const Posted posted = post(url(origin), "{}", 200ms);
    EXPECT_EQ(posted.failure, Failure::timed_out);
    EXPECT_EQ(posted.status, 0);
}

TEST_F(PostTest, a_receiver_that_hangs_up_is_unreachable) {
    const Origin origin([](OriginConnection& connection) { connection.read_head(); });
    open_for({&origin});
    EXPECT_EQ(post(url(origin)).failure, Failure::unreachable);
}

TEST_F(PostTest, the_status_stands_even_if_the_answers_body_never_ends_or_breaks) {
    const Origin endless([](OriginConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 202 Accepted\r\n\r\n");
        while (connection.send(std::string(10'000, 'x'))) {
        }
    });
    const Origin stalling([](OriginConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nhalf");
        connection.wait_until_peer_leaves();
    });
    const Origin broken([](OriginConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nhalf");
    });
    open_for({&endless, &stalling, &broken});
    for (const Origin* origin : {&endless, &stalling, &broken}) {
        const Posted posted = post(url(*origin), "{}", 500ms);
        EXPECT_EQ(posted.failure, Failure::none);
        EXPECT_EQ(posted.status, 202);
    }
}

TEST_F(PostTest, two_hundred_posts_run_side_by_side) {
    constexpr int count = 200;
    Gate everyone;
    // No receiver answers before all of them have been asked.
    const Origin origin(replying([&](auto&, auto&) {
        everyone.arrive_and_wait(count);
        return status_answer("200 OK");
    }));
    open_for({&origin});
    std::vector<Async<Posted>> posts;
    for (int i = 0; i < count; ++i) posts.push_back(fetcher->post(post_request(url(origin))));
    for (const auto& posted : run_all(std::move(posts))) {
        EXPECT_EQ(posted->status, 200) << posted->detail;
    }
}

TEST_F(PostTest, two_hundred_dead_receivers_do_not_delay_a_live_one) {
    constexpr int count = 200;
    Gate all_hang;
    const Origin dead([&](OriginConnection& connection) {
        connection.read_head();
        all_hang.arrive_and_wait(count);
        connection.wait_until_peer_leaves();
    });
    const Origin live(replying([&](auto&, auto&) {
        all_hang.wait();
        return status_answer("200 OK");
    }));
    open_for({&dead, &live});
    test::KeptLoop kept;
    Loop& loop = kept.loop();
    std::atomic<int> cancelled = 0;
    const auto note_dead = [&](const std::exception_ptr&, const Result<Posted>& posted) {
        if (!posted && posted.error().code == Errc::unavailable) ++cancelled;
    };
    for (int i = 0; i < count; ++i) {
        asio::co_spawn(loop, fetcher->post(post_request(url(dead), "{}", 1h)), note_dead);
    }
    // The dead ones are still running when the live one has its answer: it ends them.
    int status = 0;
    asio::co_spawn(loop, fetcher->post(post_request(url(live), "{}", 1h)),
                   [&](const std::exception_ptr&, const Result<Posted>& posted) {
                       status = posted ? posted->status : 0;
                       fetcher.reset();
                   });
    loop.run();
    EXPECT_EQ(status, 200);
    EXPECT_EQ(cancelled, count);
}

TEST_F(PostTest, connections_are_used_again) {
    const Origin origin(replying([](auto&, auto&) { return status_answer("200 OK"); }));
    open_for({&origin});
    for (int i = 0; i < 5; ++i) EXPECT_EQ(post(url(origin)).status, 200);
    EXPECT_EQ(origin.connections(), 1);
}

TEST_F(PostTest, a_header_that_would_smuggle_another_is_refused) {
    const Origin origin(replying([](auto&, auto&) { return status_answer("200 OK"); }));
    open_for({&origin});
    const std::pair<std::string, std::string> headers[] = {
        {"a", "b\r\nc: d"}, {"a", "b\nc"}, {"a", std::string("b\0c", 3)},
        {"a\r\nb", "c"},    {"a b", "c"},  {"a:", "b"},
        {"", "b"},
    };
    for (const auto& header : headers) {
        PostRequest request = post_request(url(origin));
        request.headers = {header};
        const auto posted = test::run(fetcher->post(std::move(request)));
        ASSERT_FALSE(posted.has_value());
        EXPECT_EQ(posted.error().code, Errc::invalid_argument);
    }
    EXPECT_EQ(origin.connections(), 0);
}

TEST_F(PostTest, a_post_to_what_may_not_be_opened_is_refused) {
    const Origin inner(replying([](auto&, auto&) { return status_answer("200 OK"); }), "127.0.0.2");
    open_for({&inner});
    EXPECT_EQ(post(url(inner, "/", "127.0.0.2")).failure, Failure::bad_url);
    EXPECT_EQ(post("ftp://127.0.0.1/").failure, Failure::bad_url);
    EXPECT_EQ(inner.connections(), 0);
}

}  // namespace
}  // namespace satchel::fetch
