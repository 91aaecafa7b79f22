// satchel webhook.
#include "app/commands.hpp"

#include <boost/json.hpp>

namespace satchel::app {
namespace {

namespace json = boost::json;

Result<AdminClient> connect(const AdminOptions& options) {
    TRY(AdminAccess access, find_server(options.server));
    return AdminClient(std::move(access));
}

std::string text_of(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains({name.data(), name.size()});
    if (value == nullptr || value->is_null()) return {};
    if (value->is_string()) return printable(std::string_view(value->get_string()));
    return json::serialize(*value);
}

// The origin of a URL: its path and query may hold what only the receiver should know.
std::string origin_of(const std::string& url) {
    const auto scheme_end = url.find("://");
    if (scheme_end == std::string::npos) return {};
    return url.substr(0, url.find_first_of("/?", scheme_end + 3));
}

Table table_of(const json::array& failed) {
    Table table{.head = {"EVENT ID", "EVENT", "RECEIVER", "ATTEMPTS", "LAST ERROR", "GIVEN UP"},
                .rows = {}};
    for (const json::value& each : failed) {
        if (!each.is_object()) continue;
        const json::object& row = each.get_object();
        table.rows.push_back({text_of(row, "event_id"), text_of(row, "event_type"),
                              origin_of(text_of(row, "target_url")), text_of(row, "attempts"),
                              text_of(row, "last_error"),
                              text_of(row, "failed_at").substr(0, 19) + "Z"});
    }
    return table;
}

}  // namespace

Result<int> webhook_list_failed(const AdminOptions& options) {
    TRY(const AdminClient client, connect(options));
    TRY(const json::object answer, client.call("GET", "/webhooks/failed"));
    const auto* const found = answer.if_contains("failed");
    static const json::array none;
    const json::array& failed = found != nullptr && found->is_array() ? found->get_array() : none;
    if (options.format == Format::json) {
        print(json::serialize(failed) + "\n");
    } else if (failed.empty()) {
        print("No webhook delivery was given up.\n");
    } else {
        print_table(table_of(failed));
    }
    return 0;
}

Result<int> webhook_replay(const AdminOptions& options, const std::string& event) {
    TRY(const AdminClient client, connect(options));
    const std::string path = event.empty()
                                 ? "/webhooks/replay"
                                 : "/webhooks/failed/" + encode_segment(event) + "/replay";
    TRY(const json::object answer, client.call("POST", path));
    if (options.format == Format::json) {
        print(json::serialize(answer) + "\n");
    } else {
        print(text_of(answer, "replayed") + " will be delivered again\n");
    }
    return 0;
}

}  // namespace satchel::app
