#include "options.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>

namespace bench {
namespace {

constexpr const char* usage =
    R"(usage: satchel_load JOB [+ JOB]...
JOB: MODE --target ADDRESS:PORT [--tls] [--connections N] [--count N | --seconds S] [--expect N]
          [--per-second R]
  get      --list FILE     url [reference|-] [first-last], by tab; round robin; bytes compared
  put      --list FILE     url, body file, [content type], by tab; each once
  post     --size N        POST /v3/attachments            [--save FILE [--save-ids]]
  upload   --body FILE     POST and the PUT that follows   [--save FILE [--save-ids]]
  api-get  --list FILE     GET /v3/attachments/ID, round robin
  delete   --list FILE     DELETE /v3/attachments/ID, each once
  send     --list FILE     chat id, attachment id, by tab; round robin   [--text T] [--save FILE]
                           POST /v3/chats/ID/messages with the attachment as a part; 202
  list     --list FILE     chat id, number of messages, by tab; round robin; messages counted
                           GET /v3/chats/ID/messages?limit=50
  idle     --list FILE     one GET per connection, then hold them until standard input ends
  --token T (all but put and idle; get if given)  --content-type T  --resource PATH
Connections are opened first; then the clock and all jobs start together, and the first job ends
the run. Prints one JSON object. Exit 1: an answer was wrong.
)";

[[noreturn]] void refuse(const std::string& message) {
    std::fprintf(stderr, "satchel_load: %s\n%s", message.c_str(), usage);
    std::exit(2);
}

double parse_number(const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || value < 0) refuse("not a number: " + text);
    return value;
}

Mode parse_mode(const std::string& word) {
    static const std::map<std::string, Mode> modes = {
        {"get", Mode::get},       {"put", Mode::put},         {"post", Mode::post},
        {"upload", Mode::upload}, {"api-get", Mode::api_get}, {"delete", Mode::remove},
        {"send", Mode::send},     {"list", Mode::list},       {"idle", Mode::idle}};
    const auto found = modes.find(word);
    if (found == modes.end()) refuse("unknown mode: " + word);
    return found->second;
}

void set_target(JobOptions& job, const std::string& target) {
    const std::size_t colon = target.rfind(':');
    if (colon == std::string::npos) refuse("not ADDRESS:PORT: " + target);
    job.target.address = target.substr(0, colon);
    job.target.port = static_cast<std::uint16_t>(parse_number(target.substr(colon + 1)));
    job.work.authority = target;
}

void set_option(JobOptions& job, const std::string& name, const std::string& value) {
    const auto whole = [&] { return static_cast<std::uint64_t>(parse_number(value)); };
    if (name == "--target")
        set_target(job, value);
    else if (name == "--connections")
        job.connections = whole();
    else if (name == "--count")
        job.count = whole();
    else if (name == "--seconds")
        job.seconds = parse_number(value);
    else if (name == "--per-second")
        job.per_second = parse_number(value);
    else if (name == "--expect")
        job.work.status = static_cast<int>(whole());
    else if (name == "--list")
        job.work.list = value;
    else if (name == "--token")
        job.work.token = value;
    else if (name == "--resource")
        job.work.resource = value;
    else if (name == "--content-type")
        job.work.content_type = value;
    else if (name == "--size")
        job.work.size = whole();
    else if (name == "--body")
        job.work.body = value;
    else if (name == "--text")
        job.work.text = value;
    else if (name == "--save")
        job.work.save = value;
    else
        refuse("unknown option: " + name);
}

void finish(JobOptions& job) {
    if (job.target.port == 0) refuse(job.name + " needs --target");
    if (job.connections == 0) refuse(job.name + " needs a connection");
    if (job.per_second == 0) refuse(job.name + " needs a pace above 0");
    if (job.work.resource.empty()) {
        const bool in_chats = job.work.mode == Mode::send || job.work.mode == Mode::list;
        job.work.resource = in_chats ? "/v3/chats" : "/v3/attachments";
    }
    if (job.work.mode == Mode::idle) job.count = job.connections;
    const bool ends = job.work.mode == Mode::put || job.work.mode == Mode::remove;
    if (!ends && !job.count && !job.seconds) refuse(job.name + " needs --count or --seconds");
}

}  // namespace

std::vector<JobOptions> parse_jobs(std::span<char* const> arguments) {
    std::vector<JobOptions> jobs;
    bool begins = true;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string word = arguments[i];
        if (word == "--help") {
            std::fputs(usage, stdout);
            std::exit(0);
        }
        if (begins) {
            JobOptions& job = jobs.emplace_back();
            job.name = word;
            job.work.mode = parse_mode(word);
            begins = false;
        } else if (word == "+") {
            begins = true;
        } else if (word == "--tls") {
            jobs.back().target.tls = true;
        } else if (word == "--save-ids") {
            jobs.back().work.save_ids_only = true;
        } else {
            if (i + 1 == arguments.size()) refuse(word + " needs a value");
            set_option(jobs.back(), word, arguments[++i]);
        }
    }
    if (begins) refuse("no job");
    for (JobOptions& job : jobs) finish(job);
    return jobs;
}

}  // namespace bench
