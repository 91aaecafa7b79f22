// A Fetcher that answers from a script instead of the network. It refuses the URLs that the real
// one refuses without a look at the network, and never lets a request run beyond its time.
#pragma once

#include "fetch/fetch.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace satchel::test {

class ScriptedFetcher : public fetch::Fetcher {
public:
    struct Answer {
        fetch::Failure failure = fetch::Failure::none;
        int status = 200;
        std::chrono::milliseconds after{};  // Beyond total_max: Failure::timed_out.
        std::string body = {};
    };
    using Script = std::function<Answer(const fetch::PostRequest&)>;
    using GetScript = std::function<fetch::Fetched(const fetch::GetRequest&)>;

    // Asked at every post; by default each is answered with 200.
    void set_script(Script script);
    // Asked at every get; by default each is Failure::unreachable.
    void set_get_script(GetScript script);

    // What was posted, in the order in which it came.
    std::vector<fetch::PostRequest> posts() const;
    std::size_t most_at_once() const;

    Async<fetch::Fetched> get(fetch::GetRequest request) override;
    Async<fetch::Posted> post(fetch::PostRequest request) override;
    Result<> check_url(std::string_view url) const override;

private:
    mutable std::mutex mutex_;
    Script script_;
    GetScript get_script_;
    std::vector<fetch::PostRequest> posts_;
    std::size_t running_ = 0;
    std::size_t most_at_once_ = 0;
};

}  // namespace satchel::test
