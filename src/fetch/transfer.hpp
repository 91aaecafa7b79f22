// One request, from its first hop to its outcome. Made on the caller's thread, then used on the
// curl thread alone.
#pragma once

#include "fetch/url_rules.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

namespace satchel::fetch {

enum class Verb : std::uint8_t { get, post };

struct Job {
    Verb verb = Verb::get;
    std::string method = {};  // Of a post.
    CheckedUrl url;
    std::string partner;
    HeaderList headers;
    std::string body;
    std::uint64_t bytes_max = 0;  // Of a get's file; of a post's answer, the part that is kept.
    std::chrono::steady_clock::time_point deadline;
};

struct Outcome {
    Failure failure = Failure::none;
    std::string detail;
    int status = 0;
    std::string content_type;
    std::string url;
    Bytes body;
};

class Transfer {
public:
    using Done = std::move_only_function<void(Result<Outcome>)>;

    Transfer(const UrlRules& rules, Job job, Done done)
        : rules_(rules), job_(std::move(job)), done_(std::move(done)) {}
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    const Job& job() const { return job_; }
    CURL* easy() const { return easy_.get(); }

    // Prepares `easy` for the first hop.
    void begin(Easy easy);
    // After curl has done a hop: true if another one is prepared and must be run.
    bool go_on(CURLcode code);
    // Gives the handle back and calls `done` with what go_on() decided, once.
    Easy finish();
    // The same without having run, or in the middle.
    Easy finish(Result<Outcome> outcome);

private:
    struct Callbacks;

    void prepare_hop();
    void set_network_options();
    void set_request_options();
    // Called when the last line of a final head has arrived. False stops the hop.
    bool judge_head();
    bool judge_encoding(const char* header, std::string_view harmless);
    bool take_body(std::string_view bytes);
    void keep_answer(std::string_view bytes);
    void append(std::string_view bytes);
    bool may_talk_to(const char* peer);
    bool is_moving(curl_off_t bytes_moved);
    bool stop(Failure failure, std::string detail);
    void decide(Failure failure, std::string detail);
    bool decide_by_status();
    void decide_by_code(CURLcode code);
    bool follow();
    // Whether the body is what was asked for: it must be whole.
    bool keeps_body() const { return job_.verb == Verb::get && outcome_.status == 200; }

    const UrlRules& rules_;
    Job job_;
    Done done_;
    Easy easy_;
    Outcome outcome_;
    int redirects_ = 0;

    // Of the hop that runs.
    std::size_t head_bytes_ = 0;
    std::uint64_t ignored_bytes_ = 0;
    bool head_complete_ = false;
    bool stopped_ = false;  // A callback has decided.
    bool connected_ = false;
    curl_off_t bytes_moved_ = 0;
    std::chrono::steady_clock::time_point moved_at_;
    std::string blocked_;  // The last address that was refused.
    char curl_detail_[CURL_ERROR_SIZE] = {};
};

}  // namespace satchel::fetch
