#include "base/task_group.hpp"
#include "fetch/fetch_suite.hpp"

#include <zlib.h>

#include <atomic>
#include <csignal>
#include <cstdlib>

namespace satchel::fetch {
namespace {

using test::ok_answer;
using test::Origin;
using test::OriginConnection;
using test::replying;

struct GetTest : FetchTest {};

Origin::Script answering(std::string bytes) {
    return replying([bytes = std::move(bytes)](auto&, auto&) { return bytes; });
}

// Sends `start`, then nothing more.
Origin::Script stalling_after(std::string start) {
    return [start = std::move(start)](OriginConnection& connection) {
        connection.read_head();
        connection.send(start);
        connection.wait_until_peer_leaves();
    };
}

// Sends `start`, then `more` until the peer has enough.
Origin::Script endless(std::string start, std::string more) {
    return [start = std::move(start), more = std::move(more)](OriginConnection& connection) {
        connection.read_head();
        connection.send(start);
        while (connection.send(more)) {
        }
    };
}

TEST_F(GetTest, a_file_comes_with_its_bytes_type_and_address) {
    const Origin origin(answering(ok_answer("the bytes", "Content-Type: image/png\r\n")));
    open_for({&origin});
    const Fetched fetched = get(url(origin, "/a/../photo.png?size=1#top"));
    EXPECT_EQ(fetched.failure, Failure::none) << fetched.detail;
    EXPECT_EQ(fetched.status, 200);
    EXPECT_EQ(as_text(fetched.body), "the bytes");
    EXPECT_EQ(fetched.content_type, "image/png");
    EXPECT_EQ(fetched.final_url, url(origin, "/photo.png?size=1"));
}

TEST_F(GetTest, a_request_says_nothing_about_us_or_anyone_else) {
    std::string head;
    const Origin origin(replying([&head](const std::string& h, auto&) {
        head = h;
        return ok_answer("x", "Set-Cookie: a=b; Path=/\r\n");
    }));
    open_for({&origin});
    get(url(origin));
    get(url(origin));
    const std::string host = "127.0.0.1:" + std::to_string(origin.port());
    EXPECT_EQ(head,
              "GET / HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: Satchel\r\nAccept: */*\r\n\r\n");
}

TEST_F(GetTest, the_environments_proxy_is_not_used) {
    const Origin proxy(answering(ok_answer("from the proxy")));
    const Origin origin(answering(ok_answer("from the origin")));
    ::setenv("http_proxy", url(proxy).c_str(), 1);
    open_for({&origin, &proxy});
    const Fetched fetched = get(url(origin));
    ::unsetenv("http_proxy");
    EXPECT_EQ(as_text(fetched.body), "from the origin");
    EXPECT_EQ(proxy.connections(), 0);
}

TEST_F(GetTest, exactly_the_limit_fits_and_one_byte_more_does_not) {
    const Origin full(answering(ok_answer(std::string(bytes_max, 'x'))));
    const Origin over(answering(ok_answer(std::string(bytes_max + 1, 'x'))));
    open_for({&full, &over});
    EXPECT_EQ(get(url(full)).body.size(), bytes_max);
    const Fetched refused = get(url(over));
    EXPECT_EQ(refused.failure, Failure::too_large);
    EXPECT_TRUE(refused.body.empty());
}

TEST_F(GetTest, a_body_without_end_is_cut_when_the_limit_is_passed) {
    const std::string piece(10'000, 'x');
    const Origin chunked(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                 "2710\r\n" + piece + "\r\n"));
    const Origin until_close(endless("HTTP/1.1 200 OK\r\n\r\n", piece));
    open_for({&chunked, &until_close});
    EXPECT_EQ(get(url(chunked)).failure, Failure::too_large);
    EXPECT_EQ(get(url(until_close)).failure, Failure::too_large);
}

TEST_F(GetTest, an_announced_length_over_the_limit_is_refused_before_the_body) {
    const Origin origin(stalling_after("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"));
    open_for({&origin});
    EXPECT_EQ(get(url(origin)).failure, Failure::too_large);
}

TEST_F(GetTest, a_body_shorter_than_announced_is_no_file) {
    const Origin origin([](OriginConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    });
    open_for({&origin});
    const Fetched fetched = get(url(origin));
    EXPECT_EQ(fetched.failure, Failure::unreachable);
    EXPECT_TRUE(fetched.body.empty());
}

TEST_F(GetTest, bytes_after_the_announced_length_belong_to_no_file) {
    const Origin origin(answering("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfilemore"));
    open_for({&origin});
    EXPECT_EQ(as_text(get(url(origin)).body), "file");
    EXPECT_EQ(as_text(get(url(origin)).body), "file");
}

TEST_F(GetTest, an_answer_that_is_no_http_is_no_file) {
    for (const char* nonsense : {"hello\r\n\r\n", "", "HTTP/1.1 abc\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc"}) {
        const Origin origin([nonsense](OriginConnection& connection) {
            connection.read_head();
            connection.send(nonsense);
        });
        open_for({&origin});
        EXPECT_NE(get(url(origin)).failure, Failure::none) << nonsense;
    }
}

TEST_F(GetTest, a_coded_body_is_refused_for_it_is_not_the_file) {
    std::string zeros(10'000'000, '\0');
    uLongf size = compressBound(zeros.size());
    std::string bomb(size, '\0');
    compress(reinterpret_cast<Bytef*>(bomb.data()), &size,
             reinterpret_cast<const Bytef*>(zeros.data()), zeros.size());
    bomb.resize(size);
    for (const char* header : {"Content-Encoding: deflate\r\n", "Content-Encoding: gzip, br\r\n",
                               "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n"}) {
        const Origin origin(answering(ok_answer(bomb, header)));
        open_for({&origin});
        const Fetched fetched = get(url(origin));
        EXPECT_EQ(fetched.failure, Failure::bad_status) << header;
        EXPECT_TRUE(fetched.body.empty()) << header;
    }
    for (const char* coding : {"deflate", "deflate, chunked", "gzip"}) {
        const Origin origin([&](OriginConnection& connection) {
            connection.read_head();
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + std::string(coding) +
                            "\r\n\r\n" + bomb);
        });
        open_for({&origin});
        EXPECT_EQ(get(url(origin)).failure, Failure::bad_status) << coding;
    }
}

TEST_F(GetTest, identity_is_no_coding) {
    const Origin origin(answering(ok_answer("plain", "Content-Encoding: Identity\r\n")));
    open_for({&origin});
    EXPECT_EQ(as_text(get(url(origin)).body), "plain");
}

TEST_F(GetTest, any_status_but_200_is_reported_without_a_body) {
    for (const char* status :
         {"201 Created", "204 No Content", "206 Partial Content", "300 Multiple Choices",
          "304 Not Modified", "401 Unauthorized", "404 Not Found", "407 Proxy", "500 Error"}) {
        const Origin origin(
            answering("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 0\r\n\r\n"));
        open_for({&origin});
        const Fetched fetched = get(url(origin));
        EXPECT_EQ(fetched.failure, Failure::bad_status) << status;
        EXPECT_EQ(fetched.status, std::atoi(status));
        EXPECT_TRUE(fetched.body.empty());
    }
}

TEST_F(GetTest, a_head_without_end_is_refused) {
    const Origin headers(
        endless("HTTP/1.1 200 OK\r\n", "X-More: " + std::string(999, 'x') + "\r\n"));
    const Origin interim(endless("", "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"));
    const Origin line(endless("HTTP/1.1 200 OK\r\nX: ", std::string(10'000, 'x')));
    open_for({&headers, &interim, &line});
    for (const Origin* origin : {&headers, &interim, &line}) {
        const Failure failure = get(url(*origin)).failure;
        EXPECT_TRUE(failure == Failure::bad_status || failure == Failure::unreachable);
    }
}

TEST_F(GetTest, three_redirects_are_followed_and_a_fourth_is_not) {
    const Origin origin(replying([](const std::string& head, auto&) -> std::string {
        const int left = head[5] - '0';
        if (left == 0) return ok_answer("arrived");
        return "HTTP/1.1 302 Found\r\nContent-Length: 4\r\nLocation: " + std::to_string(left - 1) +
               "\r\n\r\ngone";
    }));
    open_for({&origin});
    const Fetched arrived = get(url(origin, "/3"));
    EXPECT_EQ(as_text(arrived.body), "arrived");
    EXPECT_EQ(arrived.final_url, url(origin, "/0"));
    EXPECT_EQ(get(url(origin, "/4")).failure, Failure::too_many_redirects);
}

TEST_F(GetTest, a_policy_may_follow_none) {
    const Origin elsewhere(replying([](auto&, auto&) { return ok_answer("file"); }));
    const Origin origin(answering(
        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + url(elsewhere) + "\r\n\r\n"));
    policy.redirects_max = 0;
    open_for({&origin, &elsewhere});
    EXPECT_EQ(get(url(origin)).failure, Failure::too_many_redirects);
    EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_F(GetTest, a_redirect_to_itself_ends) {
    for (const char* status : {"301", "302", "303", "307", "308"}) {
        const Origin origin(answering("HTTP/1.1 " + std::string(status) +
                                      " Moved\r\nContent-Length: 0\r\nLocation: /\r\n\r\n"));
        open_for({&origin});
        EXPECT_EQ(get(url(origin)).failure, Failure::too_many_redirects) << status;
    }
}

TEST_F(GetTest, a_redirect_to_nowhere_is_a_bad_answer) {
    const Origin origin(answering("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"));
    open_for({&origin});
    EXPECT_EQ(get(url(origin)).failure, Failure::bad_status);
}

TEST_F(GetTest, a_redirects_endless_body_is_not_read) {
    const Origin origin([](OriginConnection& connection) {
        const std::string head = connection.read_head();
        if (head.starts_with("GET /file ")) {
            connection.answer("200 OK", "", "file");
            return;
        }
        connection.send("HTTP/1.1 302 Found\r\nLocation: /file\r\n\r\n");
        while (connection.send(std::string(10'000, 'x'))) {
        }
    });
    open_for({&origin});
    EXPECT_EQ(as_text(get(url(origin)).body), "file");
}

TEST_F(GetTest, a_redirect_whose_body_never_comes_is_followed_all_the_same) {
    policy.idle_max = 100ms;
    const Origin file(answering(ok_answer("file")));
    const Origin origin(stalling_after(
        "HTTP/1.1 302 Found\r\nContent-Length: 9\r\nLocation: " + url(file) + "\r\n\r\n"));
    open_for({&file, &origin});
    EXPECT_EQ(as_text(get(url(origin)).body), "file");
}

TEST_F(GetTest, silence_ends_at_the_idle_limit) {
    policy.idle_max = 200ms;
    const Origin silent(stalling_after(""));
    const Origin half(stalling_after("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
    open_for({&silent, &half});
    std::vector<Async<Fetched>> gets;
    for (const Origin* origin : {&silent, &half}) {
        gets.push_back(fetcher->get(get_request(url(*origin), 1h)));
    }
    for (const auto& fetched : run_all(std::move(gets))) {
        EXPECT_EQ(fetched->failure, Failure::timed_out);
        EXPECT_TRUE(fetched->body.empty());
    }
}

TEST_F(GetTest, the_total_limit_covers_all_hops) {
    const Origin slow(stalling_after("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
    const Origin origin(answering(
        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + url(slow) + "\r\n\r\n"));
    open_for({&slow, &origin});
    EXPECT_EQ(get(url(origin), 200ms).failure, Failure::timed_out);
}

TEST_F(GetTest, a_host_that_does_not_answer_the_connection_times_out) {
    // A listener with no room left drops what asks for a connection.
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener, 0), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    std::vector<int> clients;
    for (int i = 0; i < 8; ++i) {
        clients.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        ignore(Result<int>(::connect(clients.back(), reinterpret_cast<sockaddr*>(&address),
                                     sizeof address)),
               "it is enough that it asked");
    }
    policy.connect_max = 200ms;
    policy.ports = {ntohs(address.sin_port)};
    open_for({});
    const std::string target = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    EXPECT_EQ(get(target).failure, Failure::timed_out);
    for (const int client : clients) ::close(client);
    ::close(listener);
}

TEST_F(GetTest, nobody_listening_is_unreachable) {
    std::uint16_t port = 0;
    {
        const Origin gone(answering(""));
        port = gone.port();
    }
    policy.ports = {port};
    open_for({});
    EXPECT_EQ(get("http://127.0.0.1:" + std::to_string(port)).failure, Failure::unreachable);
}

TEST_F(GetTest, a_partner_has_its_share_of_parallel_fetches_and_the_rest_wait) {
    policy.parallel_per_partner_max = 3;
    Gate gate;
    std::atomic<int> now = 0;
    std::atomic<int> most = 0;
    const Origin origin(replying([&](auto&, auto&) {
        const int running = ++now;
        for (int seen = most; running > seen && !most.compare_exchange_weak(seen, running);) {
        }
        gate.arrive_and_wait(3);
        --now;
        return ok_answer("x");
    }));
    open_for({&origin});
    std::vector<Async<Fetched>> gets;
    for (int i = 0; i < 20; ++i) gets.push_back(fetcher->get(get_request(url(origin))));
    for (const auto& fetched : run_all(std::move(gets))) {
        EXPECT_EQ(fetched->failure, Failure::none) << fetched->detail;
    }
    EXPECT_EQ(most, 3);
}

TEST_F(GetTest, a_partner_whose_places_are_taken_does_not_keep_others_waiting) {
    policy.parallel_per_partner_max = 2;
    const Origin stalling(stalling_after(""));
    const Origin origin(answering(ok_answer("x")));
    open_for({&stalling, &origin});
    std::vector<Async<Fetched>> gets;
    for (int i = 0; i < 6; ++i) {
        const auto total_max = i < 2 ? 600ms : 200ms;
        gets.push_back(fetcher->get(get_request(url(stalling), total_max, "greedy")));
    }
    gets.push_back(fetcher->get(get_request(url(origin), 20s, "other")));
    const auto results = run_all(std::move(gets));
    const auto count = [&](Failure failure) {
        return std::ranges::count_if(results, [&](auto& r) { return r->failure == failure; });
    };
    EXPECT_EQ(results.back()->failure, Failure::none);
    EXPECT_EQ(count(Failure::timed_out), 2);
    EXPECT_EQ(count(Failure::busy), 4);
}

TEST_F(GetTest, more_than_may_wait_are_turned_away_at_once) {
    policy.parallel_per_partner_max = 1;
    Gate gate;
    const Origin origin(replying([&](auto&, auto&) {
        gate.wait();
        return ok_answer("x");
    }));
    open_for({&origin});
    constexpr std::size_t room = 1 + limits::gets_waiting_per_partner_max;
    std::atomic<std::size_t> turned_away = 0;
    test::KeptLoop kept;
    Loop& loop = kept.loop();
    for (std::size_t i = 0; i < room + 5; ++i) {
        asio::co_spawn(loop, fetcher->get(get_request(url(origin))),
                       [&](const std::exception_ptr&, const Result<Fetched>& fetched) {
                           if (fetched->failure != Failure::busy) return;
                           if (++turned_away == 5) gate.open();
                       });
    }
    loop.run();
    EXPECT_EQ(turned_away, 5u);
}

Task<> get_into(Fetcher& fetcher, GetRequest request, bool& ended) {
    const auto fetched = co_await fetcher.get(std::move(request));
    ended = !fetched && fetched.error().code == Errc::unavailable;
}

Task<bool> stop_group(TaskGroup& group) {
    co_await group.stop(0s);
    co_return true;
}

TEST_F(GetTest, the_destructor_cancels_what_runs_and_what_waits) {
    policy.parallel_per_partner_max = 2;
    Gate arrived;
    const Origin origin([&](OriginConnection& connection) {
        connection.read_head();
        arrived.open();
        connection.wait_until_peer_leaves();
    });
    open_for({&origin});
    std::thread destroyer([&] {
        arrived.wait();
        fetcher.reset();
    });
    std::vector<Async<Fetched>> gets;
    for (int i = 0; i < 5; ++i) gets.push_back(fetcher->get(get_request(url(origin), 1h)));
    for (const auto& fetched : run_all(std::move(gets))) {
        EXPECT_EQ(fetched.error().code, Errc::unavailable);
    }
    destroyer.join();
}

TEST_F(GetTest, a_cancelled_task_ends_its_transfer_whether_it_runs_or_waits) {
    policy.parallel_per_partner_max = 1;
    const Origin origin(stalling_after(""));
    open_for({&origin});
    test::KeptLoop kept;
    Loop& loop = kept.loop();
    TaskGroup group(loop);
    bool running_ended = false;
    bool waiting_ended = false;
    group.spawn("running", get_into(*fetcher, get_request(url(origin), 1h), running_ended));
    group.spawn("waiting", get_into(*fetcher, get_request(url(origin), 1h), waiting_ended));
    bool stopped = false;
    asio::co_spawn(loop, stop_group(group),
                   [&](const std::exception_ptr&, bool value) { stopped = value; });
    loop.run();
    EXPECT_TRUE(stopped);
    EXPECT_TRUE(running_ended);
    EXPECT_TRUE(waiting_ended);
}

TEST_F(GetTest, a_ca_file_that_is_none_stops_the_start_and_is_named) {
    policy.ca_file = "/nowhere/ca.pem";
    const auto opened = Fetcher::open(policy);
    ASSERT_FALSE(opened.has_value());
    EXPECT_NE(opened.error().message.find("/nowhere/ca.pem"), std::string::npos);
}

}  // namespace
}  // namespace satchel::fetch
