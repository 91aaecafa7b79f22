#include "webhook/deliverer.hpp"

#include "tests/support/loop_thread.hpp"
#include "tests/support/scripted_fetcher.hpp"
#include "webhook/webhook_suite.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <map>
#include <set>

namespace satchel::webhook {
namespace {

using namespace std::chrono_literals;
using Answer = test::ScriptedFetcher::Answer;

struct DelivererTest : WebhookFixture {
    test::ScriptedFetcher fetcher;
    std::unique_ptr<test::LoopThread> thread;
    std::unique_ptr<Deliverer> deliverer;
    std::future<void> running;

    ~DelivererTest() override { stop(); }

    void start() {
        thread = std::make_unique<test::LoopThread>();
        deliverer = std::make_unique<Deliverer>(
            Deliverer::Parts{thread->loop(), *database, fetcher, secrets, clock});
        running = asio::co_spawn(thread->loop(), deliverer->run(), asio::use_future);
    }
    void stop() {
        if (!thread) return;
        asio::post(thread->loop(), [this] { deliverer->stop(); });
        running.get();
        deliverer.reset();
        thread.reset();
    }
    void catch_up() {
        asio::co_spawn(thread->loop(), deliverer->catch_up(), asio::use_future).get();
    }
    // Moves time past the next retry and waits until nothing that is due is left.
    void advance(Duration by) {
        clock.advance(by);
        catch_up();
    }
    std::size_t posts_to(std::string_view url) {
        const auto posts = fetcher.posts();
        return static_cast<std::size_t>(std::ranges::count(posts, url, &fetch::PostRequest::url));
    }
    template <class Condition>
    bool becomes(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::yield();
        }
        return true;
    }
};

std::map<std::string, std::string> headers_of(const fetch::PostRequest& request) {
    return {request.headers.begin(), request.headers.end()};
}

TEST_F(DelivererTest, a_delivery_carries_both_signature_families_over_its_body) {
    const auto subscription = subscribe("https://a.example/hook?x=1");
    put(event());
    start();
    catch_up();
    const auto posts = fetcher.posts();
    ASSERT_EQ(posts.size(), 1U);
    auto headers = headers_of(posts[0]);
    EXPECT_EQ(posts[0].url, "https://a.example/hook?x=1");
    EXPECT_EQ(headers["Content-Type"], "application/json");
    EXPECT_EQ(headers["X-Webhook-Event"], "message.sent");
    EXPECT_EQ(headers["X-Webhook-Subscription-ID"], subscription.id.str());
    EXPECT_EQ(headers["X-Webhook-Timestamp"], headers["webhook-timestamp"]);
    EXPECT_NE(posts[0].body.find("\"event_id\":\"" + headers["webhook-id"] + "\""),
              std::string::npos);
    const crypto::WebhookMessage message{.id = headers["webhook-id"],
                                         .unix_seconds = std::stoll(headers["webhook-timestamp"]),
                                         .body = posts[0].body};
    EXPECT_TRUE(crypto::verify_standard_webhook(secret, message, headers["webhook-signature"]));
    EXPECT_EQ(headers["X-Webhook-Signature"], crypto::legacy_webhook_signature(secret, message));
    EXPECT_EQ(counts().waiting, 0U);
    EXPECT_EQ(counts().failed, 0U);
}

TEST_F(DelivererTest, an_event_is_tried_ten_times_with_one_id_and_body_and_then_given_up) {
    fetcher.set_script([](const auto&) { return Answer{.status = 500}; });
    subscribe("https://a.example/");
    put(event());
    start();
    catch_up();
    EXPECT_EQ(fetcher.posts().size(), 1U);
    Duration wait = 3s;
    for (std::size_t attempts = 2; attempts <= 10; ++attempts, wait *= 2) {
        advance(wait * 8 / 10);
        EXPECT_EQ(fetcher.posts().size(), attempts - 1) << "too early";
        advance(wait * 4 / 10);
        EXPECT_EQ(fetcher.posts().size(), attempts);
    }
    advance(1h);
    const auto posts = fetcher.posts();
    EXPECT_EQ(posts.size(), 10U);
    for (const auto& post : posts) {
        EXPECT_EQ(post.body, posts[0].body);
        EXPECT_EQ(headers_of(post)["webhook-id"], headers_of(posts[0])["webhook-id"]);
    }
    const auto given_up = failed();
    ASSERT_EQ(given_up.size(), 1U);
    EXPECT_EQ(given_up[0].attempts, 10U);
    EXPECT_EQ(given_up[0].last_status, 500);
    EXPECT_EQ(given_up[0].last_error, "answered 500");
    EXPECT_EQ(counts().waiting, 0U);
}

TEST_F(DelivererTest, answers_are_final_or_tried_again_as_the_contract_says) {
    struct Case {
        Answer answer;
        std::size_t attempts;
        std::size_t failed;
    };
    const std::array cases{
        Case{{.status = 200}, 1, 0},
        Case{{.status = 204}, 1, 0},
        Case{{.status = 302}, 1, 1},
        Case{{.status = 404}, 1, 1},
        Case{{.status = 410}, 1, 1},
        Case{{.status = 429}, 2, 0},
        Case{{.status = 503}, 2, 0},
        Case{{.failure = fetch::Failure::unreachable}, 2, 0},
        Case{{.failure = fetch::Failure::timed_out}, 2, 0},
        Case{{.failure = fetch::Failure::bad_url}, 1, 1},
    };
    std::mutex mutex;
    std::map<std::string, std::size_t> seen;
    fetcher.set_script([&](const fetch::PostRequest& request) {
        const std::lock_guard lock(mutex);
        const std::size_t index = std::stoul(request.url.substr(request.url.rfind('/') + 1));
        return seen[request.url]++ == 0 ? cases.at(index).answer : Answer{};
    });
    for (std::size_t i = 0; i < cases.size(); ++i) {
        subscribe("https://a.example/" + std::to_string(i));
    }
    put(event());
    start();
    catch_up();
    advance(10s);
    std::set<std::string> given_up;
    for (const auto& each : failed()) given_up.insert(each.target_url);
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const std::string url = "https://a.example/" + std::to_string(i);
        EXPECT_EQ(posts_to(url), cases[i].attempts) << i;
        EXPECT_EQ(given_up.contains(url), cases[i].failed == 1) << i;
    }
    EXPECT_EQ(counts().waiting, 0U);
}

TEST_F(DelivererTest, a_busy_fetcher_costs_no_attempt) {
    std::atomic<int> asked = 0;
    fetcher.set_script([&asked](const auto&) {
        return ++asked < 4 ? Answer{.failure = fetch::Failure::busy} : Answer{};
    });
    subscribe("https://a.example/");
    put(event());
    start();
    EXPECT_TRUE(becomes([this] { return deliverer->totals().delivered == 1; }));
    EXPECT_EQ(deliverer->totals().attempts, 1U);
}

TEST_F(DelivererTest, dead_receivers_delay_nobody_else) {
    constexpr std::size_t dead = 40;
    fetcher.set_script([](const fetch::PostRequest& request) {
        const bool is_dead = request.url.starts_with("https://dead");
        return Answer{.after = is_dead ? std::chrono::milliseconds(10'000) : 0ms};
    });
    for (std::size_t i = 0; i < dead; ++i) {
        subscribe("https://dead.example/" + std::to_string(i));
    }
    subscribe("https://quick.example/");
    start();
    for (int i = 0; i < 50; ++i) put(event());
    EXPECT_TRUE(becomes([this] { return posts_to("https://quick.example/") == 50; }));
    EXPECT_LE(fetcher.most_at_once(),
              dead * limits::webhook_parallel_start + limits::webhook_parallel_max);
    EXPECT_EQ(counts().failed, 0U);
}

TEST_F(DelivererTest, first_attempts_of_one_chat_keep_their_order) {
    std::atomic<int> turn = 0;
    fetcher.set_script([&turn](const fetch::PostRequest&) {
        return Answer{.after = std::chrono::milliseconds(++turn % 3)};
    });
    subscribe("https://a.example/");
    for (int i = 0; i < 60; ++i) {
        put(event("chat-" + std::to_string(i % 2), "{\"n\":" + std::to_string(i) + "}"));
    }
    start();
    catch_up();
    const auto posts = fetcher.posts();
    ASSERT_EQ(posts.size(), 60U);
    std::array<int, 2> last{-1, -1};
    for (const auto& post : posts) {
        const int n = std::stoi(post.body.substr(post.body.find("\"n\":") + 4));
        auto& before = last.at(static_cast<std::size_t>(n % 2));
        EXPECT_LT(before, n);
        before = n;
    }
}

TEST_F(DelivererTest, what_waits_for_a_removed_subscription_is_dropped) {
    fetcher.set_script([](const auto&) { return Answer{.status = 500}; });
    const auto subscription = subscribe("https://a.example/");
    for (int i = 0; i < 3; ++i) put(event());
    start();
    catch_up();
    EXPECT_EQ(counts().waiting, 3U);
    ASSERT_TRUE(test::run(database->write([&](meta::Session& session) {
        return meta::remove_subscription(session, partner, subscription.id);
    })));
    EXPECT_TRUE(becomes([this] { return counts().waiting == 0; }));
    EXPECT_TRUE(failed().empty());
}

TEST_F(DelivererTest, what_waits_for_an_inactive_subscription_is_given_up_and_can_be_replayed) {
    fetcher.set_script([](const auto&) { return Answer{.status = 500}; });
    auto subscription = subscribe("https://a.example/");
    put(event());
    start();
    catch_up();
    const auto update = [&](bool active) {
        subscription.is_active = active;
        EXPECT_TRUE(test::run(database->write([subscription](meta::Session& session) {
            return meta::update_subscription(session, subscription);
        })));
    };
    update(false);
    EXPECT_TRUE(becomes([this] { return counts().failed == 1; }));
    update(true);
    fetcher.set_script({});
    const auto event_id = failed().at(0).event;
    const Time now = clock.now();
    EXPECT_EQ(*test::run(database->write([event_id, now](meta::Session& session) {
        return meta::replay_event(session, event_id, now);
    })),
              1U);
    catch_up();
    EXPECT_EQ(counts().failed, 0U);
    EXPECT_EQ(counts().waiting, 0U);
    EXPECT_EQ(fetcher.posts().back().body, fetcher.posts().front().body);
}

TEST_F(DelivererTest, what_was_given_up_is_forgotten_after_a_week) {
    fetcher.set_script([](const auto&) { return Answer{.status = 410}; });
    subscribe("https://a.example/");
    put(event());
    start();
    catch_up();
    advance(6 * 24h);
    EXPECT_EQ(counts().failed, 1U);
    advance(2 * 24h);
    EXPECT_TRUE(becomes([this] { return counts().failed == 0; }));
}

TEST_F(DelivererTest, stopping_cuts_attempts_off_and_the_next_start_makes_them_again) {
    fetcher.set_script([](const auto&) { return Answer{.after = 9s}; });
    subscribe("https://a.example/");
    put(event());
    start();
    EXPECT_TRUE(becomes([this] { return fetcher.posts().size() == 1; }));
    const auto began = std::chrono::steady_clock::now();
    stop();
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
    EXPECT_EQ(counts().waiting, 1U);
    fetcher.set_script({});
    start();
    catch_up();
    EXPECT_EQ(counts().waiting, 0U);
    ASSERT_EQ(fetcher.posts().size(), 2U);
    EXPECT_EQ(fetcher.posts()[0].body, fetcher.posts()[1].body);
}

TEST_F(DelivererTest, nothing_is_lost_when_a_third_of_the_attempts_fail) {
    std::atomic<unsigned> turn = 0;
    fetcher.set_script([&turn](const auto&) {
        switch (++turn % 9) {
            case 0:
                return Answer{.status = 500};
            case 3:
                return Answer{.status = 429};
            case 6:
                return Answer{.failure = fetch::Failure::unreachable};
            default:
                return Answer{};
        }
    });
    subscribe("https://a.example/");
    constexpr std::size_t total = 2000;
    EXPECT_TRUE(test::run(database->write([this](meta::Session& session) -> Result<> {
        for (std::size_t i = 0; i < total; ++i) {
            CHECK(enqueue(session, event("chat-" + std::to_string(i % 100))));
        }
        return {};
    })));
    start();
    for (int i = 0; i < 60 && counts().waiting > 0; ++i) advance(30s);
    EXPECT_EQ(counts().waiting, 0U);
    EXPECT_EQ(counts().failed, 0U);
    EXPECT_EQ(deliverer->totals().delivered, total);
    EXPECT_LE(fetcher.most_at_once(), limits::webhook_parallel_max);
}

}  // namespace
}  // namespace satchel::webhook
