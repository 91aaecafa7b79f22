// satchel partner quota.
#include "app/commands.hpp"
#include "app/quota_table.hpp"
#include "base/bytes.hpp"

#include <boost/json.hpp>

#include <array>

namespace satchel::app {
namespace {

namespace json = boost::json;

constexpr std::string_view servers_setting = "default";

std::string number_at(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value == nullptr ? std::string() : json::serialize(*value);
}

std::vector<std::string> row_of(std::string_view title, const json::object& limit) {
    const std::string max = number_at(limit, "max");
    return {std::string(title), number_at(limit, "used"), max == "0" ? "no limit" : max,
            number_at(limit, "own") == "true" ? "this partner" : "every partner"};
}

}  // namespace

Table quota_table(const json::object& quota) {
    static constexpr std::array titles{
        std::pair{"bytes", "bytes"},
        std::pair{"files", "files"},
        std::pair{"pending", "pending uploads"},
        std::pair{"requests_per_minute", "requests a minute"},
        std::pair{"creates_per_minute", "uploads asked for a minute"},
        std::pair{"sends_per_minute", "sends a minute"}};
    Table table;
    table.head = {"LIMIT", "USED", "AT MOST", "SET FOR"};
    for (const auto& [name, title] : titles) {
        const auto* limit = quota.if_contains(name);
        if (limit == nullptr || !limit->is_object()) continue;
        table.rows.push_back(row_of(title, limit->get_object()));
    }
    return table;
}

Result<int> partner_quota(const AdminOptions& options,
                          const std::string& partner,
                          const QuotaChanges& changes) {
    json::object body;
    for (const auto& [name, text] : changes) {
        if (text.empty()) continue;
        if (text == servers_setting) {
            body[name] = nullptr;
        } else {
            const auto number = parse_u64(text);
            if (!number) return refuse(name + " must be a number, or default");
            body[name] = *number;
        }
    }
    TRY(AdminAccess access, find_server(options.server));
    const AdminClient client(std::move(access));
    const std::string path = "/partners/" + encode_segment(partner) + "/quota";
    TRY(const json::object quota,
        body.empty() ? client.call("GET", path) : client.call("PATCH", path, body));
    if (options.format == Format::json) {
        print(json::serialize(quota) + "\n");
    } else {
        print_table(quota_table(quota));
    }
    return 0;
}

}  // namespace satchel::app
