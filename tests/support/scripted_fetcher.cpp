#include "tests/support/scripted_fetcher.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>

namespace satchel::test {
namespace {

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         Loop::executor_type>;

}  // namespace

void ScriptedFetcher::set_script(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
}

void ScriptedFetcher::set_get_script(GetScript script) {
    const std::lock_guard lock(mutex_);
    get_script_ = std::move(script);
}

std::vector<fetch::PostRequest> ScriptedFetcher::posts() const {
    const std::lock_guard lock(mutex_);
    return posts_;
}

std::size_t ScriptedFetcher::most_at_once() const {
    const std::lock_guard lock(mutex_);
    return most_at_once_;
}

Async<fetch::Fetched> ScriptedFetcher::get(fetch::GetRequest request) {
    {
        const std::lock_guard lock(mutex_);
        if (get_script_) co_return get_script_(request);
    }
    fetch::Fetched fetched;
    fetched.failure = fetch::Failure::unreachable;
    fetched.detail = "not scripted: " + request.url;
    co_return fetched;
}

Async<fetch::Posted> ScriptedFetcher::post(fetch::PostRequest request) {
    fetch::Posted posted;
    if (!check_url(request.url)) {
        posted.failure = fetch::Failure::bad_url;
        co_return posted;
    }
    Answer answer;
    {
        const std::lock_guard lock(mutex_);
        posts_.push_back(request);
        if (script_) answer = script_(request);
        most_at_once_ = std::max(most_at_once_, ++running_);
    }
    if (answer.after > request.total_max) answer.failure = fetch::Failure::timed_out;
    const auto home = co_await asio::this_coro::executor;
    Timer timer(home, std::min(answer.after, request.total_max));
    co_await timer.async_wait(asio::as_tuple(use_task));
    {
        const std::lock_guard lock(mutex_);
        --running_;
    }
    posted.failure = answer.failure;
    if (answer.failure == fetch::Failure::none) {
        posted.status = answer.status;
        posted.body = answer.body.substr(0, request.answer_bytes_max);
    }
    co_return posted;
}

Result<> ScriptedFetcher::check_url(std::string_view url) const {
    if (url.starts_with("https://") && url.find('@') == std::string_view::npos) return {};
    return fail(Errc::invalid_argument, "not an https URL without credentials");
}

}  // namespace satchel::test
