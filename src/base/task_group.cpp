#include "base/task_group.hpp"

#include "base/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>

#include <exception>
#include <list>

namespace satchel {

using LoopTimer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;

struct TaskGroup::State {
    explicit State(Loop& l) : loop(l), changed(l.get_executor()) {}

    Loop& loop;
    std::list<asio::cancellation_signal> running;
    LoopTimer changed;  // Cancelled whenever a task ends.
    bool stopping = false;
};

TaskGroup::TaskGroup(Loop& loop) : state_(std::make_shared<State>(loop)) {}

TaskGroup::~TaskGroup() = default;

void TaskGroup::spawn(std::string_view name, Task<> task) {
    if (state_->stopping) return;
    const auto signal = state_->running.emplace(state_->running.end());
    auto done = [state = state_, signal, name](const std::exception_ptr& error) {
        // A task that was cancelled leaves by an exception: that is how it was meant to end.
        if (error && !state->stopping) {
            try {
                std::rethrow_exception(error);
            } catch (const std::exception& e) {
                log::error("task_failed", {{"task", name}, {"detail", e.what()}});
            }
        }
        state->running.erase(signal);
        state->changed.cancel();
    };
    asio::co_spawn(state_->loop, std::move(task),
                   asio::bind_cancellation_slot(signal->slot(), std::move(done)));
}

std::size_t TaskGroup::size() const {
    return state_->running.size();
}

Task<> TaskGroup::stop(std::chrono::steady_clock::duration patience) {
    const auto state = state_;
    state->stopping = true;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    bool insisted = false;
    while (!state->running.empty()) {
        const auto now = std::chrono::steady_clock::now();
        if (!insisted && now >= deadline) {
            insisted = true;
            // A cancelled task may end at once and leave the list.
            for (auto it = state->running.begin(); it != state->running.end();) {
                (it++)->emit(asio::cancellation_type::all);
            }
            if (state->running.empty()) break;
        }
        state->changed.expires_at(insisted ? now + std::chrono::seconds(1) : deadline);
        co_await state->changed.async_wait(asio::as_tuple(use_task));
    }
}

Task<> yield() {
    const Loop::executor_type home = co_await asio::this_coro::executor;
    co_await asio::post(home, use_task);
}

}  // namespace satchel
