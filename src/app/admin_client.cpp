#include "app/admin_client.hpp"

#include "app/client.hpp"
#include "app/config.hpp"
#include "app/output.hpp"

#include <boost/json.hpp>

#include <cstdlib>

namespace satchel::app {
namespace {

namespace json = boost::json;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

// Where the server's message stands in an error answer.
std::string message_in(const json::object& body, int status) {
    const auto* error = body.if_contains("error");
    const auto* object = error == nullptr ? nullptr : error->if_object();
    const auto* message = object == nullptr ? nullptr : object->if_contains("message");
    if (message != nullptr && message->is_string()) {
        return printable(std::string_view(message->get_string()));
    }
    return "the server answered " + std::to_string(status) + "; see its log";
}

}  // namespace

Result<std::filesystem::path> chosen_data_folder(const ServerChoice& choice) {
    if (!choice.data.empty()) return std::filesystem::path(choice.data);
    if (choice.config.empty()) return std::filesystem::path(default_data_folder);
    TRY(const Config config, load_config({}, choice.config, process_environment()));
    return config.data_folder();
}

Result<AdminAccess> find_server(const ServerChoice& choice) {
    const bool is_named = !choice.data.empty() || !choice.config.empty();
    const std::string url = variable("SATCHEL_ADMIN_URL");
    const std::string token = variable("SATCHEL_ADMIN_TOKEN");
    if (!is_named && url.empty() != token.empty()) {
        return refuse("SATCHEL_ADMIN_URL and SATCHEL_ADMIN_TOKEN must be set together");
    }
    if (!is_named && !url.empty()) return AdminAccess{url, token};
    TRY(const auto folder, chosen_data_folder(choice));
    auto access = read_admin_file(folder);
    if (!access && access.error().code == Errc::not_found) {
        return refuse("no server runs on " + folder.string() +
                          "; start one (satchel dev), name its folder with --data DIR, or set "
                          "SATCHEL_ADMIN_URL and SATCHEL_ADMIN_TOKEN",
                      Errc::not_found);
    }
    return access;
}

Result<AdminAnswer> AdminClient::ask(std::string_view method,
                                     std::string_view path,
                                     const std::optional<json::object>& body) const {
    ClientRequest request;
    request.method = method;
    request.url = url_of(path);
    request.headers.emplace_back("Authorization", "Bearer " + access_.token);
    if (body) {
        request.headers.emplace_back("Content-Type", "application/json");
        request.body = json::serialize(*body);
    }
    TRY(const ClientResponse response, send_request(request));
    return read_answer(response.status, response.body);
}

std::string AdminClient::url_of(std::string_view path) const {
    std::string url = access_.url;
    while (url.ends_with('/')) url.pop_back();
    url += "/admin/v1";
    url += path;
    return url;
}

Result<AdminAnswer> AdminClient::read_answer(int status, const std::string& body) const {
    AdminAnswer answer{status, {}};
    if (body.empty()) return answer;
    boost::system::error_code error;
    json::value value = json::parse(body, error);
    if (error || !value.is_object()) {
        return refuse(access_.url + " is not a satchel admin API; check SATCHEL_ADMIN_URL",
                      Errc::unavailable);
    }
    answer.body = std::move(value.as_object());
    return answer;
}

Result<json::object> AdminClient::post(std::string_view path,
                                       std::string content_type,
                                       std::string body) const {
    ClientRequest request;
    request.method = "POST";
    request.url = url_of(path);
    request.headers.emplace_back("Authorization", "Bearer " + access_.token);
    request.headers.emplace_back("Content-Type", std::move(content_type));
    request.body = std::move(body);
    TRY(const ClientResponse response, send_request(request));
    TRY(AdminAnswer answer, read_answer(response.status, response.body));
    if (answer.status < 200 || answer.status > 299) {
        return refuse(message_in(answer.body, answer.status));
    }
    return std::move(answer.body);
}

Result<json::object> AdminClient::call(std::string_view method,
                                       std::string_view path,
                                       const std::optional<json::object>& body) const {
    TRY(AdminAnswer answer, ask(method, path, body));
    if (answer.status < 200 || answer.status > 299) {
        return refuse(message_in(answer.body, answer.status));
    }
    return std::move(answer.body);
}

std::string encode_segment(std::string_view text) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    static constexpr std::string_view unreserved =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (unreserved.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += hex[byte >> 4U];
            out += hex[byte & 15U];
        }
    }
    return out;
}

}  // namespace satchel::app
