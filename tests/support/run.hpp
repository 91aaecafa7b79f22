// Runs one coroutine to its end on a loop of its own and gives its value.
#pragma once

#include "base/async.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

namespace satchel::test {

// A loop for one run. It is kept for a later one and never destroyed: the thread of a pool that
// resumed a coroutine may still be on its way out of the loop when the coroutine has ended.
class KeptLoop {
public:
    KeptLoop() {
        const std::lock_guard lock(idle().mutex);
        if (idle().loops.empty()) {
            loop_ = std::make_unique<Loop>(1);
        } else {
            loop_ = std::move(idle().loops.back());
            idle().loops.pop_back();
        }
    }
    ~KeptLoop() {
        loop_->restart();
        const std::lock_guard lock(idle().mutex);
        idle().loops.push_back(std::move(loop_));
    }
    KeptLoop(const KeptLoop&) = delete;
    KeptLoop& operator=(const KeptLoop&) = delete;
    Loop& loop() { return *loop_; }

private:
    struct Idle {
        std::mutex mutex;
        std::vector<std::unique_ptr<Loop>> loops;
    };
    static Idle& idle() {
        static Idle* const kept = new Idle;
        return *kept;
    }
    std::unique_ptr<Loop> loop_;
};

template <class T>
T run(Task<T> task) {
    std::optional<T> value;
    std::exception_ptr failure;
    KeptLoop kept;
    asio::co_spawn(kept.loop(), std::move(task), [&](const std::exception_ptr& error, T result) {
        failure = error;
        value.emplace(std::move(result));
    });
    kept.loop().run();
    if (failure) std::rethrow_exception(failure);
    if (!value) throw std::logic_error("the coroutine never ended");
    return std::move(*value);
}

}  // namespace satchel::test
