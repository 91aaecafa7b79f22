// A fetcher for which 127.0.0.1 is the public Internet and every other special address is what it
// is in production.
#pragma once

#include "fetch/fetch.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/origin.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

namespace satchel::fetch {

using namespace std::chrono_literals;

inline AddressRule loopback_is_public() {
    return [](const Address& address) {
        return address == Address::parse("127.0.0.1") || block_of(address).reach == Reach::global;
    };
}

// A door that threads wait at until it is opened.
class Gate {
public:
    void open() {
        const std::lock_guard lock(mutex_);
        is_open_ = true;
        changed_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return is_open_; });
    }
    // Opens with the `count`th arrival.
    void arrive_and_wait(int count) {
        std::unique_lock lock(mutex_);
        if (++arrived_ >= count) {
            is_open_ = true;
            changed_.notify_all();
        }
        changed_.wait(lock, [this] { return is_open_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int arrived_ = 0;
    bool is_open_ = false;
};

struct FetchTest : testing::Test {
    static constexpr std::uint64_t bytes_max = 1'000'000;

    Policy policy{.allow_http = true};
    std::unique_ptr<Fetcher> fetcher;

    // Call once the ports are known: only those of `origins` may be opened.
    void open_for(std::initializer_list<const test::Origin*> origins) {
        for (const test::Origin* origin : origins) policy.ports.push_back(origin->port());
        fetcher = Fetcher::open(policy, loopback_is_public()).value();
    }

    static std::string url(const test::Origin& origin,
                           const std::string& path = "/",
                           const std::string& host = "127.0.0.1") {
        return "http://" + host + ":" + std::to_string(origin.port()) + path;
    }

    Fetched get(std::string address, std::chrono::milliseconds total_max = 20s) {
        auto fetched = test::run(fetcher->get(get_request(std::move(address), total_max)));
        EXPECT_TRUE(fetched.has_value());
        return fetched ? *std::move(fetched) : Fetched{};
    }
    static GetRequest get_request(std::string address,
                                  std::chrono::milliseconds total_max = 20s,
                                  std::string partner = "partner") {
        return {.url = std::move(address),
                .partner = std::move(partner),
                .bytes_max = bytes_max,
                .total_max = total_max};
    }

    Posted post(std::string address,
                std::string body = "{}",
                std::chrono::milliseconds total_max = 20s) {
        auto posted =
            test::run(fetcher->post(post_request(std::move(address), std::move(body), total_max)));
        EXPECT_TRUE(posted.has_value());
        return posted ? *std::move(posted) : Posted{};
    }
    static PostRequest post_request(std::string address,
                                    std::string body = "{}",
                                    std::chrono::milliseconds total_max = 20s) {
        return {.url = std::move(address),
                .partner = "partner",
                .headers = {{"Content-Type", "application/json"}, {"webhook-id", "evt_1"}},
                .body = std::move(body),
                .total_max = total_max};
    }

    // Runs all at once on one loop; the answers are in the order of the requests.
    template <class T>
    static std::vector<Result<T>> run_all(std::vector<Async<T>> tasks) {
        test::KeptLoop kept;
        Loop& loop = kept.loop();
        std::vector<Result<T>> results(tasks.size(), fail(Errc::internal, "never answered"));
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            asio::co_spawn(loop, std::move(tasks[i]),
                           [&results, i](const std::exception_ptr& error, Result<T> result) {
                               EXPECT_FALSE(error);
                               results[i] = std::move(result);
                           });
        }
        loop.run();
        return results;
    }
};

}  // namespace satchel::fetch
