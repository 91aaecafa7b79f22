// Calls to a server's admin API, and how the command line finds that server.
#pragma once

#include "app/data_folder.hpp"
#include "base/result.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace satchel::app {

inline constexpr std::string_view default_data_folder = "./satchel-data";

// What the command line said about which server is meant; both may be empty.
struct ServerChoice {
    std::string data;    // --data DIR
    std::string config;  // --config FILE
};

// The data folder of `choice`; `default_data_folder` if it names none.
Result<std::filesystem::path> chosen_data_folder(const ServerChoice& choice);

// --data or --config, then SATCHEL_ADMIN_URL and SATCHEL_ADMIN_TOKEN, then the default folder.
// The error's `message` says how to name a server.
Result<AdminAccess> find_server(const ServerChoice& choice);

struct AdminAnswer {
    int status = 0;
    boost::json::object body;  // Empty for 204.
};

class AdminClient {
public:
    explicit AdminClient(AdminAccess access) : access_(std::move(access)) {}

    // `path` is below /admin/v1. Any answer of an admin API is a value.
    Result<AdminAnswer> ask(std::string_view method,
                            std::string_view path,
                            const std::optional<boost::json::object>& body = {}) const;
    // As ask(), but an answer other than 2xx is an error with the server's message.
    Result<boost::json::object> call(std::string_view method,
                                     std::string_view path,
                                     const std::optional<boost::json::object>& body = {}) const;

    // As call(), with a body that is no JSON.
    Result<boost::json::object> post(std::string_view path,
                                     std::string content_type,
                                     std::string body) const;

private:
    std::string url_of(std::string_view path) const;
    Result<AdminAnswer> read_answer(int status, const std::string& body) const;
    AdminAccess access_;
};

// A path segment of the admin API.
std::string encode_segment(std::string_view text);

}  // namespace satchel::app
