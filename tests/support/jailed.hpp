// A media jail on a loop of its own, for tests that wait for it.
#pragma once

#include "media/image_jail.hpp"
#include "media/memory_file.hpp"
#include "media/zygote_process.hpp"
#include "tests/support/loop_thread.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace satchel::test {

class Jailed {
public:
    explicit Jailed(std::string_view program, media::ImageJailOptions options = {})
        : jail_(thread_.loop(), budget_, with_program(std::move(options), program)) {}
    ~Jailed() { ignore(await(stop()), "it has no errors"); }
    Jailed(const Jailed&) = delete;
    Jailed& operator=(const Jailed&) = delete;

    Result<media::Product> convert(media::Form form,
                                   std::string_view type,
                                   std::string_view bytes,
                                   std::uint32_t width = 0) {
        return begin(form, type, bytes, width).get();
    }
    std::future<Result<media::Product>> begin(media::Form form,
                                              std::string_view type,
                                              std::string_view bytes,
                                              std::uint32_t width = 0) {
        Result<Descriptor> input = media::sealed_memory_file("input", as_bytes(bytes));
        media::Order order{.form = form,
                           .source_type = std::string(type),
                           .input = std::move(input).value(),
                           .width = width};
        return begin(jail_.convert(std::move(order)));
    }
    template <class T>
    std::future<T> begin(Task<T> task) {
        auto promise = std::make_shared<std::promise<T>>();
        std::future<T> future = promise->get_future();
        asio::co_spawn(thread_.loop(), std::move(task),
                       [promise](const std::exception_ptr& error, T value) {
                           if (error) return promise->set_exception(error);
                           promise->set_value(std::move(value));
                       });
        return future;
    }
    Result<media::JailReport> start() { return await(jail_.start()); }
    Loop& loop() { return thread_.loop(); }
    media::ImageJail& jail() { return jail_; }
    const media::MemoryBudget& budget() const { return budget_; }

private:
    template <class T>
    T await(Task<T> task) {
        return begin(std::move(task)).get();
    }
    Async<> stop() {
        co_await jail_.stop();
        co_return Result<>{};
    }
    static media::ImageJailOptions with_program(media::ImageJailOptions options,
                                                std::string_view program) {
        const bool is_path = program.starts_with('/');
        options.program = is_path ? std::string(program) : media::program_beside_this(program);
        return options;
    }

    media::MemoryBudget budget_{limits::media_memory_bytes_max};
    LoopThread thread_;
    media::ImageJail jail_;
};

inline std::string content_of(const media::Product& product) {
    std::string content(product.size_bytes, '\0');
    const auto target = std::as_writable_bytes(std::span(content));
    EXPECT_EQ(media::read_at(product.bytes, target, 0).value(), content.size());
    return content;
}

}  // namespace satchel::test
