// Owns running coroutines: nothing is started without an owner that can stop it.
#pragma once

#include "base/async.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace satchel {

// Used on one loop, and outlives every task in it: await stop() before destroying it.
class TaskGroup {
public:
    explicit TaskGroup(Loop& loop);
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // Starts `task`. An exception that leaves it is logged with `name` (static storage).
    // After stop() was called nothing is started and the task is destroyed at once.
    void spawn(std::string_view name, Task<> task);

    std::size_t size() const;

    // Waits up to `patience` for the tasks to end, then cancels them and waits for that.
    Task<> stop(std::chrono::steady_clock::duration patience);

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace satchel
