// A loop that runs on its own thread while a test talks to what is on it.
#pragma once

#include "base/async.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <thread>

namespace satchel::test {

class LoopThread {
public:
    LoopThread() : work_(loop_.get_executor()), thread_([this] { loop_.run(); }) {}
    ~LoopThread() {
        work_.reset();
        loop_.stop();
        thread_.join();
    }
    LoopThread(const LoopThread&) = delete;
    LoopThread& operator=(const LoopThread&) = delete;

    Loop& loop() { return loop_; }

private:
    Loop loop_{1};
    asio::executor_work_guard<Loop::executor_type> work_;
    std::thread thread_;
};

}  // namespace satchel::test
