// satchel tier.
#include "app/commands.hpp"

#include <boost/json.hpp>

namespace satchel::app {
namespace {

namespace json = boost::json;

std::string field(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains({name.data(), name.size()});
    if (value == nullptr || !value->is_string()) return {};
    return printable(std::string_view(value->get_string()));
}

Table table_of(const json::object& answer,
               std::string_view list,
               std::vector<std::string> head,
               const std::vector<std::string_view>& fields) {
    Table table;
    table.head = std::move(head);
    const auto* rows = answer.if_contains({list.data(), list.size()});
    if (rows == nullptr || !rows->is_array()) return table;
    for (const json::value& each : rows->get_array()) {
        if (!each.is_object()) continue;
        auto& row = table.rows.emplace_back();
        for (const std::string_view name : fields) row.push_back(field(each.get_object(), name));
    }
    return table;
}

std::string summary(const TierOptions& options, const json::object& answer) {
    const std::string tier = field(answer, "tier");
    std::string text = "new attachments ";
    if (options.line.empty()) {
        text += "of " + field(answer, "name") + " are " + tier;
    } else {
        text += "of " + field(answer, "number") + " are " + field(answer, "effective_tier");
        if (tier != field(answer, "effective_tier")) text += " (as all of its partner's)";
        text += ", new messages are " + field(answer, "message_tier");
    }
    return text + "; what exists stays as it is";
}

}  // namespace

Result<int> tier_set(const TierOptions& options) {
    TRY(AdminAccess access, find_server(options.admin.server));
    const AdminClient client(std::move(access));
    const bool is_line = !options.line.empty();
    json::object body{{"tier", options.tier}};
    if (options.messages) body["message_tier"] = options.tier;
    const std::string path = is_line ? "/lines/" + encode_segment(options.line)
                                     : "/partners/" + encode_segment(options.partner);
    TRY(const json::object answer, client.call("PUT", path + "/tier", std::move(body)));
    if (options.admin.format == Format::json) {
        print(json::serialize(answer) + "\n");
    } else {
        print(summary(options, answer) + "\n");
    }
    return 0;
}

Result<int> tier_show(const AdminOptions& options) {
    TRY(AdminAccess access, find_server(options.server));
    const AdminClient client(std::move(access));
    TRY(const json::object answer, client.call("GET", "/tiers"));
    if (options.format == Format::json) {
        print(json::serialize(answer) + "\n");
        return 0;
    }
    const Table partners = table_of(answer, "partners", {"PARTNER ID", "NAME", "TIER"},
                                    {"partner_id", "name", "tier"});
    if (partners.rows.empty()) {
        print("No partners yet; satchel partner add NAME makes one.\n");
        return 0;
    }
    print_table(partners);
    const Table lines =
        table_of(answer, "lines", {"LINE", "PARTNER ID", "ITS TIER", "IN EFFECT", "MESSAGES"},
                 {"number", "partner_id", "tier", "effective_tier", "message_tier"});
    if (lines.rows.empty()) return 0;
    print("\n");
    print_table(lines);
    return 0;
}

}  // namespace satchel::app
