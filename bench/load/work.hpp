// What a job asks for, and what makes an answer right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

struct Request {
    std::string head;       // Request line, headers, empty line, and a small body if there is one.
    std::string_view body;  // A large body; the work owns it.
    int status = 200;       // The only status that is right.
    // The only body that is right. Without it the body is collected and given to answered().
    std::optional<std::string_view> expected;
    std::size_t item = 0;  // The work's own.
};

struct Verdict {
    std::string error;                 // Empty: the answer was right.
    std::optional<Request> follow_up;  // Sent on the same connection, as part of the same turn.
};

class Work {
public:
    virtual ~Work() = default;
    // The next turn; nullopt when the list is used up.
    virtual std::optional<Request> next() = 0;
    // `body` is empty where Request::expected was set.
    virtual Verdict answered(const Request& request, std::string_view body) = 0;
};

enum class Mode { get, put, post, upload, api_get, remove, send, list, idle };

struct WorkOptions {
    Mode mode = Mode::get;
    std::string authority;  // The Host header, where an item is a path and not a whole URL.
    std::string list;       // Items, one a line; columns by tab (bench/README.md).
    std::string token;
    std::string resource;  // Empty: /v3/chats for send and list, else /v3/attachments.
    std::string content_type = "image/jpeg";
    std::uint64_t size = 0;  // post: the announced size.
    std::string body;        // upload: the file that is sent.
    std::string text;        // send: a text part beside the attachment; none if empty.
    // post, upload: id, upload_url and download_url of each, one a line; send: the message's id.
    std::string save;
    bool save_ids_only = false;
    int status = 0;  // 0: the usual one of the mode.
};

// Ends the program with a line on standard error when a file cannot be read.
std::unique_ptr<Work> make_work(const WorkOptions& options);

[[noreturn]] void die(const std::string& message);

}  // namespace bench
