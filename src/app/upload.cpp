// satchel upload: pre-uploads files on a partner's behalf, and sends them if asked to.
#include "app/client.hpp"
#include "app/commands.hpp"
#include "app/progress_bar.hpp"
#include "model/content_type.hpp"

#include <boost/json.hpp>

#include <array>
#include <filesystem>

namespace satchel::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// Extensions that the content type table does not name, or names for a rarer type.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> other_extensions{{
    {"jpeg", "image/jpeg"},
    {"jpe", "image/jpeg"},
    {"tif", "image/tiff"},
    {"qt", "video/quicktime"},
    {"mpg", "video/mpeg"},
    {"aif", "audio/x-aiff"},
    {"midi", "audio/midi"},
    {"htm", "text/html"},
    {"text", "text/plain"},
    {"log", "text/plain"},
    {"markdown", "text/markdown"},
    {"vcard", "text/vcard"},
}};

std::string lower_extension(const fs::path& file) {
    std::string extension = file.extension().string();
    if (extension.starts_with('.')) extension.erase(0, 1);
    for (char& c : extension) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return extension;
}

std::optional<std::string> type_of(const fs::path& file) {
    const std::string extension = lower_extension(file);
    for (const auto& [other, type] : other_extensions) {
        if (other == extension) return std::string(type);
    }
    for (const ContentType& type : content_types()) {
        if (type.extension == extension) return std::string(type.name);
    }
    return std::nullopt;
}

// Whose line it is.
Result<std::string> owner_of(const AdminClient& client, const std::string& line) {
    TRY(const json::object answer, client.call("GET", "/lines"));
    for (const json::value& each : answer.at("lines").as_array()) {
        if (each.at("number").as_string() == line) {
            return std::string(each.at("partner_id").as_string());
        }
    }
    return refuse(line + " is not a line of this server; satchel line list shows them");
}

Result<std::string> choose_partner(const AdminClient& client, const UploadOptions& options) {
    if (!options.partner.empty()) return options.partner;
    if (!options.from.empty()) return owner_of(client, options.from);
    TRY(const json::object answer, client.call("GET", "/partners"));
    std::vector<std::string> enabled;
    for (const json::value& partner : answer.at("partners").as_array()) {
        if (!partner.at("disabled_at").is_null()) continue;
        const std::string_view id = partner.at("partner_id").as_string();
        if (partner.at("name").as_string() == "demo") return std::string(id);
        enabled.emplace_back(id);
    }
    if (enabled.size() == 1) return enabled.front();
    return refuse(enabled.empty() ? "there is no partner; satchel partner add NAME makes one"
                                  : "there are several partners; choose one with --partner");
}

struct LocalFile {
    fs::path path;
    std::string name;
    std::string content_type;
    std::uint64_t size = 0;
};

Result<LocalFile> look_at(const std::string& path, const std::string& content_type) {
    LocalFile file;
    file.path = path;
    file.name = file.path.filename().string();
    std::error_code error;
    if (!fs::is_regular_file(file.path, error)) {
        return refuse(path + " is not a file that can be read");
    }
    file.size = fs::file_size(file.path, error);
    if (error) return refuse("cannot read " + path + ": " + error.message());
    if (file.size == 0) return refuse(path + " is empty; an attachment has at least one byte");
    file.content_type = content_type;
    if (!content_type.empty()) return file;
    const auto type = type_of(file.path);
    if (!type) {
        return refuse("cannot tell the content type of " + path +
                      " from its extension; give it with --type, for example --type image/png");
    }
    file.content_type = *type;
    return file;
}

Result<json::object> upload_one(const AdminClient& client,
                                const std::string& partner,
                                const LocalFile& file) {
    const json::object wanted{
        {"filename", file.name}, {"content_type", file.content_type}, {"size_bytes", file.size}};
    TRY(const json::object made,
        client.call("POST", "/partners/" + encode_segment(partner) + "/attachments", wanted));
    ProgressBar bar(file.name);
    ClientRequest request;
    request.method = "PUT";
    request.url = std::string(made.at("upload_url").as_string());
    request.headers.emplace_back("Content-Type", file.content_type);
    request.file = file.path;
    request.progress = [&bar](std::uint64_t sent, std::uint64_t total) {
        bar.show(sent, total, human_size(total));
    };
    TRY(const ClientResponse response, send_request(request));
    if (response.status != 200) {
        return refuse("the upload of " + file.path.string() + " was refused with status " +
                      std::to_string(response.status) + "; see the server's log");
    }
    return json::object{{"attachment_id", made.at("attachment_id")},
                        {"filename", file.name},
                        {"content_type", file.content_type},
                        {"size_bytes", file.size},
                        {"download_url", made.at("download_url")}};
}

Result<json::object> send_all(const AdminClient& client,
                              const std::string& partner,
                              const UploadOptions& options,
                              const json::array& uploaded) {
    json::object message{{"to", json::value_from(options.to)}};
    if (!options.from.empty()) message["from"] = options.from;
    if (!options.text.empty()) message["text"] = options.text;
    json::array ids;
    for (const json::value& each : uploaded) ids.push_back(each.at("attachment_id"));
    message["attachment_ids"] = std::move(ids);
    return client.call("POST", "/partners/" + encode_segment(partner) + "/messages", message);
}

}  // namespace

Result<int> run_upload(const UploadOptions& options) {
    std::vector<LocalFile> files;
    for (const std::string& path : options.files) {
        TRY(LocalFile file, look_at(path, options.content_type));
        files.push_back(std::move(file));
    }
    TRY(AdminAccess access, find_server(options.admin.server));
    const AdminClient client(std::move(access));
    TRY(const std::string partner, choose_partner(client, options));
    json::array uploaded;
    for (const LocalFile& file : files) {
        TRY(json::object result, upload_one(client, partner, file));
        // Each id as soon as it is good: a later failure does not take it back.
        if (options.admin.format == Format::text) {
            print(std::string(result.at("attachment_id").as_string()) + "\n");
        }
        uploaded.push_back(std::move(result));
    }
    const bool as_json = options.admin.format == Format::json;
    if (options.to.empty()) {
        if (as_json) print(json::serialize(uploaded) + "\n");
        return 0;
    }
    TRY(json::object sent, send_all(client, partner, options, uploaded));
    if (as_json) {
        sent["attachments"] = std::move(uploaded);
        print(json::serialize(sent) + "\n");
    } else {
        // Standard output is for the attachments' ids alone.
        std::fprintf(stderr, "sent as message %s\n", sent.at("message_id").as_string().c_str());
    }
    return 0;
}

}  // namespace satchel::app
