#include "admin/master_keys.hpp"

#include "admin/render.hpp"
#include "base/bytes.hpp"
#include "base/rfc3339.hpp"
#include "model/api_errors.hpp"

#include <boost/json.hpp>

#include <limits>
#include <optional>

namespace satchel::admin {
namespace {

namespace json = boost::json;

json::value time_or_null(const std::optional<Time>& time) {
    return time ? json::value(to_rfc3339(*time)) : json::value(nullptr);
}

json::object render(const RewrapProgress& progress) {
    return {{"version", progress.version},
            {"running", progress.is_running},
            {"remaining", progress.remaining},
            {"rewrapped", progress.rewrapped},
            {"damaged", progress.damaged}};
}

json::object render(const MasterKeyReport& report) {
    return {{"version", report.row.version},
            {"in_use", report.is_in_use},
            {"attachments", report.attachments},
            {"in_use_since", to_rfc3339(report.row.in_use_since)},
            {"emptied_at", time_or_null(report.row.emptied_at)},
            {"retired_at", time_or_null(report.row.retired_at)},
            {"check", to_hex(report.row.check)}};
}

}  // namespace

Async<http::Response> list_master_keys(Call call) {
    CO_TRY(const auto reports, co_await call.services.keys.list());
    json::array keys;
    for (const MasterKeyReport& report : reports) keys.push_back(render(report));
    co_return json_response(200, json::object{{"keys", std::move(keys)}});
}

Async<http::Response> rotate_master_key(Call call) {
    CO_CHECK(co_await call.services.keys.rotate());
    co_return json_response(200, render(call.services.keys.progress()));
}

Async<http::Response> show_rewrap(Call call) {
    co_return json_response(200, render(call.services.keys.progress()));
}

Async<http::Response> retire_master_key(Call call) {
    const auto version = parse_u64(call.subject);
    if (!version || *version == 0 || *version > std::numeric_limits<std::uint32_t>::max()) {
        co_return fail(reasons::invalid_parameter,
                       "a version of the master key is a number; satchel keys list shows them");
    }
    const auto number = static_cast<std::uint32_t>(*version);
    CO_TRY(const bool removed, co_await call.services.keys.retire(number));
    co_return json_response(200, json::object{{"version", number}, {"removed_from_file", removed}});
}

}  // namespace satchel::admin
