#include "fetch/fetch.hpp"

#include "fetch/engine.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <mutex>
#include <new>
#include <optional>

namespace satchel::fetch {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

bool is_name_character(char c) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
}

bool is_value_character(char c) {
    const auto code = static_cast<unsigned char>(c);
    return c == '\t' || (code >= 0x20 && code != 0x7f);
}

bool is_header(const std::string& name, const std::string& value) {
    return !name.empty() && std::ranges::all_of(name, is_name_character) &&
           std::ranges::all_of(value, is_value_character);
}

void append_line(HeaderList& list, const std::string& line) {
    curl_slist* const whole = libcurl().slist_append(list.get(), line.c_str());
    if (whole == nullptr) throw std::bad_alloc();
    if (whole == list.get()) return;
    list.reset(whole);  // The first line made the list.
}

Result<HeaderList> header_list(const Headers& headers) {
    HeaderList list;
    // What libcurl would add to a post unasked. A later line of the same name is the caller's.
    append_line(list, "Expect:");
    bool has_type = false;
    for (const auto& [name, value] : headers) {
        if (!is_header(name, value)) return fail(Errc::invalid_argument, "not a header");
        // A colon alone would remove the header; a semicolon sends it empty.
        append_line(list, value.empty() ? name + ";" : name + ": " + value);
        has_type = has_type || libcurl().strequal(name.c_str(), "Content-Type") != 0;
    }
    if (!has_type) append_line(list, "Content-Type:");
    return list;
}

Result<> check_ca_file(const std::string& path) {
    if (path.empty()) return {};
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.find("-----BEGIN CERTIFICATE-----") != std::string::npos) return {};
    Error error{Errc::invalid_argument, nullptr, {}, {}};
    error.message = path + " is not a readable file of PEM certificates";
    error.detail = error.message;
    return std::unexpected(std::move(error));
}

class CurlFetcher final : public Fetcher {
public:
    CurlFetcher(Policy policy, AddressRule address_rule)
        : rules_(std::move(policy), std::move(address_rule)) {}

    Async<Fetched> get(GetRequest request) override;
    Async<Posted> post(PostRequest request) override;
    Result<> check_url(std::string_view url) const override {
        CHECK(rules_.check(url));
        return {};
    }

private:
    Async<Outcome> perform(Job job);

    // Its thread starts with the first request.
    Engine& engine() {
        std::call_once(engine_made_, [this] { engine_.emplace(rules_.policy()); });
        return *engine_;
    }

    const UrlRules rules_;
    std::once_flag engine_made_;
    std::optional<Engine> engine_;
};

Async<Fetched> CurlFetcher::get(GetRequest request) {
    auto url = rules_.check(request.url);
    if (!url) {
        co_return Fetched{.failure = Failure::bad_url, .detail = std::move(url.error().detail)};
    }
    Job job{.verb = Verb::get,
            .url = *std::move(url),
            .partner = std::move(request.partner),
            .bytes_max = request.bytes_max,
            .deadline = std::chrono::steady_clock::now() + request.total_max};
    CO_TRY(Outcome outcome, co_await perform(std::move(job)));
    co_return Fetched{.failure = outcome.failure,
                      .detail = std::move(outcome.detail),
                      .status = outcome.status,
                      .content_type = std::move(outcome.content_type),
                      .final_url = std::move(outcome.url),
                      .body = std::move(outcome.body)};
}

Async<Posted> CurlFetcher::post(PostRequest request) {
    CO_TRY(HeaderList headers, header_list(request.headers));
    auto url = rules_.check(request.url);
    if (!url) {
        co_return Posted{.failure = Failure::bad_url, .detail = std::move(url.error().detail)};
    }
    Job job{.verb = Verb::post,
            .method = std::move(request.method),
            .url = *std::move(url),
            .partner = std::move(request.partner),
            .headers = std::move(headers),
            .body = std::move(request.body),
            .bytes_max = request.answer_bytes_max,
            .deadline = std::chrono::steady_clock::now() + request.total_max};
    CO_TRY(Outcome outcome, co_await perform(std::move(job)));
    co_return Posted{.failure = outcome.failure,
                     .detail = std::move(outcome.detail),
                     .status = outcome.status,
                     .body = std::string(as_text(outcome.body))};
}

Async<Outcome> CurlFetcher::perform(Job job) {
    const Loop::executor_type home = co_await asio::this_coro::executor;
    auto start = [this, home](auto handler, Job work) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        auto done = [home, slot, handler = std::move(handler)](Result<Outcome> outcome) mutable {
            auto boxed = std::make_unique<Result<Outcome>>(std::move(outcome));
            asio::post(home,
                       [slot, handler = std::move(handler), boxed = std::move(boxed)]() mutable {
                           if (slot.is_connected()) slot.clear();
                           std::move(handler)(std::move(*boxed));
                       });
        };
        const auto transfer = std::make_shared<Transfer>(rules_, std::move(work), std::move(done));
        if (slot.is_connected()) {
            slot.assign([inbox = engine().inbox(), weak = std::weak_ptr(transfer)](
                            asio::cancellation_type) { inbox->cancel(weak); });
        }
        ASSERT(engine().inbox()->submit(transfer));
    };
    co_return co_await asio::async_initiate<const UseTask, void(Result<Outcome>)>(
        std::move(start), use_task, std::move(job));
}

}  // namespace

Result<std::unique_ptr<Fetcher>> Fetcher::open(Policy policy, AddressRule address_rule) {
    CHECK(check_ca_file(policy.ca_file));
    return std::make_unique<CurlFetcher>(std::move(policy), std::move(address_rule));
}

}  // namespace satchel::fetch
