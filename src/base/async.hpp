// Coroutines on one io_context per thread. Rules: docs/adr/0003-coroutines.md.
//
// A coroutine runs on the loop it was started on and comes back to it after every await.
// Parameters of an awaited coroutine may be references; those of a spawned one are values.
#pragma once

#include "base/result.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace satchel {

namespace asio = boost::asio;

using Loop = asio::io_context;

template <class T = void>
using Task = asio::awaitable<T, Loop::executor_type>;

template <class T = void>
using Async = Task<Result<T>>;

using UseTask = asio::use_awaitable_t<Loop::executor_type>;
inline constexpr UseTask use_task{};

// Threads for what may block: fsync, cold reads, directory walks. Shared by all loops.
using BlockingPool = asio::thread_pool;

// Runs `work` on `pool` and resumes the caller on its own loop with the value.
// `work` must own what it touches, or the caller must keep it alive until this returns.
template <class Work, class T = std::invoke_result_t<Work&>>
Task<T> run_blocking(BlockingPool& pool, Work work) {
    static_assert(!std::is_void_v<T>, "return a Result<> so that failures travel");
    const Loop::executor_type home = co_await asio::this_coro::executor;
    auto start = [&pool, home](auto handler, Work job) {
        asio::post(pool, [home, handler = std::move(handler), job = std::move(job)]() mutable {
            auto value = std::make_unique<T>(job());
            asio::post(home, [handler = std::move(handler), value = std::move(value)]() mutable {
                std::move(handler)(std::move(*value));
            });
        });
    };
    co_return co_await asio::async_initiate<const UseTask, void(T)>(std::move(start), use_task,
                                                                    std::move(work));
}

// Runs `work` on `loop`, which may be another thread's, and resumes the caller on its own with what
// comes of it. Cancelling the caller cancels the work, over there.
template <class T>
Task<T> run_on(Loop& loop, Task<T> work) {
    // co_spawn() would forward a cancellation by pointer, to a coroutine that may have ended.
    const auto stop = std::make_shared<asio::cancellation_signal>();
    asio::cancellation_slot slot = (co_await asio::this_coro::cancellation_state).slot();
    if (slot.is_connected()) {
        slot.assign([&loop, stop](asio::cancellation_type type) {
            asio::post(loop, [stop, type] { stop->emit(type); });
        });
    }
    co_return co_await asio::co_spawn(loop, std::move(work),
                                      asio::bind_cancellation_slot(stop->slot(), use_task));
}

// Lets everything else that is ready on this loop run first.
Task<> yield();

}  // namespace satchel
