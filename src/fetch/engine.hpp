// The curl thread: runs transfers side by side, within their shares.
#pragma once

#include "fetch/fair_queue.hpp"
#include "fetch/transfer.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace satchel::fetch {

using SharedTransfer = std::shared_ptr<Transfer>;

// What other threads hand to the curl thread. Outlives the engine in the hands of those who may
// still cancel.
class Inbox {
public:
    explicit Inbox(CURLM* multi) : multi_(multi) {}

    // False once closed: `transfer` is then left to the caller.
    bool submit(SharedTransfer transfer);
    // Ends the transfer with Errc::unavailable, unless it ended before.
    void cancel(const std::weak_ptr<Transfer>& transfer);
    void close();

    struct Batch {
        std::vector<SharedTransfer> submitted;
        std::vector<SharedTransfer> cancelled;
        bool closed = false;
    };
    Batch take();

private:
    std::mutex mutex_;
    CURLM* const multi_;  // Valid until closed.
    Batch batch_;
};

class Engine {
public:
    explicit Engine(const Policy& policy);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    const std::shared_ptr<Inbox>& inbox() const { return inbox_; }

private:
    using Queue = FairQueue<SharedTransfer>;

    void run();
    std::chrono::milliseconds patience() const;
    void accept(SharedTransfer transfer);
    void cancel(const SharedTransfer& transfer);
    void cancel_all();
    void start_waiting(Queue& queue);
    void start(SharedTransfer transfer);
    void reap();
    void expire(std::chrono::steady_clock::time_point now);
    Queue& queue_of(const Transfer& transfer);

    Multi multi_;
    std::shared_ptr<Inbox> inbox_;

    // Of the curl thread.
    Queue gets_;
    Queue posts_;
    std::unordered_map<CURL*, SharedTransfer> running_;
    std::vector<Easy> idle_;
    std::chrono::steady_clock::time_point expire_at_;

    std::thread thread_;
};

}  // namespace satchel::fetch
