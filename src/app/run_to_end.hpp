// Runs one coroutine to its end on a loop that nobody else runs: start-up and commands.
#pragma once

#include "base/async.hpp"
#include "base/task_group.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <optional>
#include <utility>

namespace satchel::app {

template <class T>
Task<> keep_outcome(Async<T> work, std::optional<Result<T>>& outcome) {
    outcome.emplace(co_await std::move(work));
}

template <class T>
Result<T> run_to_end(Loop& loop, Async<T> work) {
    std::optional<Result<T>> outcome;
    TaskGroup group(loop);
    group.spawn("run_to_end", keep_outcome(std::move(work), outcome));
    // What runs on another thread does not count as work of the loop.
    const auto guard = asio::make_work_guard(loop);
    loop.restart();
    while (group.size() > 0) loop.run_one();
    if (!outcome) return fail(Errc::internal, "the work ended with an exception");
    return *std::move(outcome);
}

}  // namespace satchel::app
