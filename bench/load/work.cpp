#include "work.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

namespace bench {
namespace {

// A whole file, mapped for the life of the program: one copy for any number of connections.
std::string_view map_file(const std::string& path) {
    static std::map<std::string, std::string_view> mapped;
    if (const auto found = mapped.find(path); found != mapped.end()) return found->second;
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status{};
    if (file < 0 || fstat(file, &status) != 0) die("cannot read " + path);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) die("empty file: " + path);
    void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    close(file);
    if (data == MAP_FAILED) die("cannot map " + path);
    const std::string_view view(static_cast<const char*>(data), size);
    mapped.emplace(path, view);
    return view;
}

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> columns;
    std::size_t begin = 0;
    for (;;) {
        const std::size_t tab = line.find('\t', begin);
        columns.push_back(line.substr(begin, tab - begin));
        if (tab == std::string::npos) return columns;
        begin = tab + 1;
    }
}

std::vector<std::vector<std::string>> read_list(const std::string& path) {
    std::ifstream file(path);
    if (!file) die("cannot read " + path);
    std::vector<std::vector<std::string>> lines;
    for (std::string line; std::getline(file, line);) {
        if (!line.empty()) lines.push_back(split(line));
    }
    if (lines.empty()) die("nothing in " + path);
    return lines;
}

struct Location {
    std::string authority;
    std::string path;
};

// "http://host:port/path" or "/path".
Location locate(const std::string& url, const std::string& default_authority) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string::npos) return {default_authority, url};
    const std::size_t begin = scheme + 3;
    const std::size_t slash = url.find('/', begin);
    if (slash == std::string::npos) return {url.substr(begin), "/"};
    return {url.substr(begin, slash - begin), url.substr(slash)};
}

std::string make_head(std::string_view method, const Location& at, std::string_view headers) {
    std::string head;
    head.reserve(at.path.size() + headers.size() + 96);
    head.append(method).append(" ").append(at.path).append(" HTTP/1.1\r\nHost: ");
    head.append(at.authority).append("\r\n").append(headers).append("\r\n");
    return head;
}

std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
}

// The string member `name` of a flat JSON object as servers write it.
std::string string_member(std::string_view json, std::string_view name) {
    const std::string key = "\"" + std::string(name) + "\":";
    std::size_t at = json.find(key);
    if (at == std::string_view::npos) return {};
    at = json.find('"', at + key.size());
    std::string value;
    for (++at; at < json.size() && json[at] != '"'; ++at) {
        if (json[at] != '\\') {
            value += json[at];
        } else if (json.substr(at, 6) == "\\u0026") {
            value += '&';
            at += 5;
        } else {
            value += json[++at];
        }
    }
    return value;
}

std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        die("not a number: " + std::string(text));
    }
    return value;
}

std::ofstream open_to_save(const std::string& path) {
    std::ofstream file;
    if (path.empty()) return file;
    file.open(path, std::ios::trunc);
    if (!file) die("cannot write " + path);
    return file;
}

Request make_post(const Location& at, const std::string& token, const std::string& json) {
    Request request;
    request.head = make_head("POST", at,
                             bearer(token) + "Content-Type: application/json\r\nContent-Length: " +
                                 std::to_string(json.size()) + "\r\n") +
                   json;
    return request;
}

Verdict wrong(std::string error) {
    return {.error = std::move(error), .follow_up = {}};
}

// Round robin over URLs: url [reference file | -] [first-last]. Every byte is compared.
class Get final : public Work {
public:
    explicit Get(const WorkOptions& options) {
        for (const auto& line : read_list(options.list)) items_.push_back(make_item(line, options));
    }
    std::optional<Request> next() override {
        const Request& item = items_[at_];
        at_ = (at_ + 1) % items_.size();
        return item;
    }
    Verdict answered(const Request&, std::string_view) override { return {}; }

private:
    static Request make_item(const std::vector<std::string>& line, const WorkOptions& options) {
        Request item;
        std::string headers;
        if (line.size() > 1 && line[1] != "-") item.expected = map_file(line[1]);
        if (line.size() > 2 && line[2] != "-") {
            headers = "Range: bytes=" + line[2] + "\r\n";
            item.status = 206;
            if (item.expected) item.expected = slice(*item.expected, line[2]);
        }
        if (!options.token.empty()) headers += bearer(options.token);
        if (options.status != 0) item.status = options.status;
        item.head = make_head("GET", locate(line[0], options.authority), headers);
        return item;
    }
    static std::string_view slice(std::string_view whole, std::string_view range) {
        const std::size_t dash = range.find('-');
        if (dash == std::string_view::npos) die("not a range: " + std::string(range));
        const std::uint64_t first = number(range.substr(0, dash));
        const std::uint64_t last = number(range.substr(dash + 1));
        if (first > last || last >= whole.size()) die("range outside of its file");
        return whole.substr(first, last - first + 1);
    }

    std::vector<Request> items_;
    std::size_t at_ = 0;
};

// Each line once: url, body file, content type.
class Put final : public Work {
public:
    explicit Put(const WorkOptions& options)
        : lines_(read_list(options.list)),
          authority_(options.authority),
          content_type_(options.content_type),
          status_(options.status != 0 ? options.status : 200) {
        for (const auto& line : lines_) {
            if (line.size() < 2) die("a line of " + options.list + " names no body file");
            map_file(line[1]);
        }
    }
    std::optional<Request> next() override {
        if (at_ == lines_.size()) return std::nullopt;
        const auto& line = lines_[at_++];
        return make_put(locate(line[0], authority_), map_file(line[1]),
                        line.size() > 2 ? line[2] : content_type_, status_);
    }
    Verdict answered(const Request&, std::string_view) override { return {}; }

    static Request make_put(const Location& at,
                            std::string_view body,
                            const std::string& content_type,
                            int status) {
        Request request;
        request.head = make_head("PUT", at,
                                 "Content-Type: " + content_type +
                                     "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n");
        request.body = body;
        request.status = status;
        return request;
    }

private:
    std::vector<std::vector<std::string>> lines_;
    std::string authority_;
    std::string content_type_;
    int status_;
    std::size_t at_ = 0;
};

// POST /v3/attachments, and with a body file the PUT that belongs to it.
class Create final : public Work {
public:
    explicit Create(const WorkOptions& options)
        : options_(options), size_(options.size), saved_(open_to_save(options.save)) {
        if (options_.mode == Mode::upload) {
            body_ = map_file(options_.body);
            size_ = body_.size();
        }
        if (size_ == 0) die("post needs --size, upload needs --body");
    }
    std::optional<Request> next() override {
        const std::string json = R"({"filename":"photo-)" + std::to_string(made_++) +
                                 R"(.jpg","content_type":")" + options_.content_type +
                                 R"(","size_bytes":)" + std::to_string(size_) + "}";
        Request request = make_post({options_.authority, options_.resource}, options_.token, json);
        request.status = options_.status != 0 ? options_.status : 200;
        return request;
    }
    Verdict answered(const Request& request, std::string_view body) override {
        if (!request.body.empty()) return {};
        const std::string id = string_member(body, "attachment_id");
        const std::string upload_url = string_member(body, "upload_url");
        const std::string download_url = string_member(body, "download_url");
        if (id.size() != 36 || upload_url.empty() || download_url.empty()) {
            return wrong("an answer without attachment_id, upload_url, download_url");
        }
        if (saved_.is_open()) {
            saved_ << id;
            if (!options_.save_ids_only) saved_ << '\t' << upload_url << '\t' << download_url;
            saved_ << '\n';
        }
        if (options_.mode == Mode::post) return {};
        return {.error = {},
                .follow_up = Put::make_put(locate(upload_url, options_.authority), body_,
                                           options_.content_type, 200)};
    }

private:
    WorkOptions options_;
    std::uint64_t size_;
    std::string_view body_;
    std::ofstream saved_;
    std::size_t made_ = 0;
};

// GET (round robin) or DELETE (each once) of /v3/attachments/{id}.
class ById final : public Work {
public:
    explicit ById(const WorkOptions& options) : options_(options), headers_(bearer(options.token)) {
        for (auto& line : read_list(options.list)) ids_.push_back(std::move(line[0]));
    }
    std::optional<Request> next() override {
        const bool removes = options_.mode == Mode::remove;
        if (at_ == ids_.size()) {
            if (removes) return std::nullopt;
            at_ = 0;
        }
        Request request;
        request.item = at_++;
        request.head =
            make_head(removes ? "DELETE" : "GET",
                      {options_.authority, options_.resource + "/" + ids_[request.item]}, headers_);
        request.status = options_.status != 0 ? options_.status : removes ? 204 : 200;
        return request;
    }
    Verdict answered(const Request& request, std::string_view body) override {
        if (options_.mode == Mode::remove || request.status != 200) return {};
        if (body.find("\"id\":\"" + ids_[request.item] + "\"") == std::string_view::npos) {
            return wrong("the answer is not about " + ids_[request.item]);
        }
        return {};
    }

private:
    WorkOptions options_;
    std::string headers_;
    std::vector<std::string> ids_;
    std::size_t at_ = 0;
};

std::size_t occurrences(std::string_view text, std::string_view of) {
    std::size_t count = 0;
    for (std::size_t at = text.find(of); at != std::string_view::npos;
         at = text.find(of, at + of.size())) {
        ++count;
    }
    return count;
}

// Requests about the messages of chats; round robin over lines of chat id and a second column.
class InChats : public Work {
public:
    explicit InChats(const WorkOptions& options)
        : options_(options), lines_(read_list(options.list)) {
        for (const auto& line : lines_) {
            if (line.size() < 2) die("a line of " + options.list + " has one column");
        }
    }
    std::optional<Request> next() override {
        const std::size_t item = at_;
        at_ = (at_ + 1) % lines_.size();
        Request request = request_for(item);
        request.item = item;
        if (options_.status != 0) request.status = options_.status;
        return request;
    }

protected:
    virtual Request request_for(std::size_t item) const = 0;

    Location messages_of(std::size_t item, std::string_view query = {}) const {
        Location at{options_.authority, options_.resource + "/" + lines_[item][0] + "/messages"};
        at.path += query;
        return at;
    }
    std::string chat_member(std::size_t item) const {
        return "\"chat_id\":\"" + lines_[item][0] + "\"";
    }
    const std::string& second(std::size_t item) const { return lines_[item][1]; }
    const WorkOptions& options() const { return options_; }

private:
    WorkOptions options_;
    std::vector<std::vector<std::string>> lines_;
    std::size_t at_ = 0;
};

// Messages with a pre-uploaded attachment: the second column is its id.
class Send final : public InChats {
public:
    explicit Send(const WorkOptions& options)
        : InChats(options), saved_(open_to_save(options.save)) {}

    Verdict answered(const Request& request, std::string_view body) override {
        if (request.status != 202) return {};
        const std::string message = string_member(body.substr(find_message(body)), "id");
        if (message.size() != 36 || body.find(chat_member(request.item)) == body.npos) {
            return wrong("an answer without chat_id or message.id");
        }
        if (body.find("\"id\":\"" + second(request.item) + "\"") == body.npos) {
            return wrong("no part has the attachment's id");
        }
        if (saved_.is_open()) saved_ << message << '\n';
        return {};
    }

protected:
    Request request_for(std::size_t item) const override {
        std::string json =
            R"({"message":{"parts":[{"type":"media","attachment_id":")" + second(item) + "\"}";
        if (!options().text.empty()) {
            json += R"(,{"type":"text","value":")" + options().text + "\"}";
        }
        json += "]}}";
        Request request = make_post(messages_of(item), options().token, json);
        request.status = 202;
        return request;
    }

private:
    static std::size_t find_message(std::string_view body) {
        return std::min(body.find("\"message\":"), body.size());
    }
    std::ofstream saved_;
};

// The newest messages of a chat: the second column says how many the page must have.
class List final : public InChats {
public:
    explicit List(const WorkOptions& options) : InChats(options), headers_(bearer(options.token)) {}

    Verdict answered(const Request& request, std::string_view body) override {
        if (request.status != 200) return {};
        const std::size_t found = occurrences(body, chat_member(request.item));
        if (found == number(second(request.item))) return {};
        return wrong("a page of " + std::to_string(found) + " messages of the chat, not of " +
                     second(request.item));
    }

protected:
    Request request_for(std::size_t item) const override {
        Request request;
        request.head = make_head("GET", messages_of(item, "?limit=50"), headers_);
        return request;
    }

private:
    std::string headers_;
};

}  // namespace

std::unique_ptr<Work> make_work(const WorkOptions& options) {
    switch (options.mode) {
        case Mode::get:
        case Mode::idle:
            return std::make_unique<Get>(options);
        case Mode::put:
            return std::make_unique<Put>(options);
        case Mode::post:
        case Mode::upload:
            return std::make_unique<Create>(options);
        case Mode::api_get:
        case Mode::remove:
            return std::make_unique<ById>(options);
        case Mode::send:
            return std::make_unique<Send>(options);
        case Mode::list:
            return std::make_unique<List>(options);
    }
    die("unknown mode");
}

void die(const std::string& message) {
    std::fprintf(stderr, "satchel_load: %s\n", message.c_str());
    std::exit(2);
}

}  // namespace bench
