// satchel receive: a message comes in on one of the server's lines.
#include "app/commands.hpp"
#include "base/bytes.hpp"
#include "base/uuid.hpp"

#include <boost/json.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace satchel::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// In a quoted parameter of a part's head.
std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c == '\r' || c == '\n' ? '_' : c;
    }
    return out + '"';
}

Result<std::string> read_file(const std::string& path) {
    std::error_code error;
    std::ifstream file(path, std::ios::binary);
    if (!fs::is_regular_file(path, error) || !file) {
        return refuse(path + " is not a file that can be read");
    }
    return std::string{std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Result<int> run_receive(const ReceiveOptions& options) {
    if (options.text.empty() && options.media.empty()) {
        return refuse("a message needs --text or --media");
    }
    json::object message{{"line", options.line}, {"from", options.from}};
    if (!options.text.empty()) message["text"] = options.text;
    const std::string boundary = "satchel-" + Uuid::random().str();
    std::string body = "--" + boundary +
                       "\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n" +
                       json::serialize(message) + "\r\n";
    for (const std::string& path : options.media) {
        TRY(const std::string content, read_file(path));
        body += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"media\"; filename=" +
                in_quotes(fs::path(path).filename().string()) + "\r\n\r\n" + content + "\r\n";
    }
    body += "--" + boundary + "--\r\n";
    TRY(AdminAccess access, find_server(options.admin.server));
    const AdminClient client(std::move(access));
    TRY(const json::object stored,
        client.post("/inbound", "multipart/form-data; boundary=" + boundary, std::move(body)));
    if (options.admin.format == Format::json) {
        print(json::serialize(stored) + "\n");
    } else {
        print(std::string(stored.at("message_id").as_string()) + "\n");
    }
    return 0;
}

}  // namespace satchel::app
