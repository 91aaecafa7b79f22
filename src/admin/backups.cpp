#include "admin/backups.hpp"

#include "admin/render.hpp"
#include "model/api_errors.hpp"

#include <boost/json.hpp>

namespace satchel::admin {

namespace json = boost::json;

Async<http::Response> show_backup(Call call) {
    co_return json_response(200, call.services.backup_status());
}

Async<http::Response> start_backup(Call call) {
    CO_TRY(const json::object body, co_await read_object(call.request));
    CO_TRY(const std::string folder, string_field(body, "folder"));
    const std::filesystem::path path(folder);
    if (!path.is_absolute() || folder.find('\0') != std::string::npos) {
        co_return fail(reasons::invalid_parameter, "folder must be an absolute path");
    }
    CO_CHECK(call.services.start_backup(path.lexically_normal()));
    co_return json_response(202, call.services.backup_status());
}

}  // namespace satchel::admin
