// satchel partner, key and line.
#include "app/commands.hpp"
#include "app/quota_table.hpp"

#include <boost/json.hpp>

namespace satchel::app {
namespace {

namespace json = boost::json;

Result<AdminClient> connect(const AdminOptions& options) {
    TRY(AdminAccess access, find_server(options.server));
    return AdminClient(std::move(access));
}

// A field as people read it: empty if it is absent or null, times to the second.
std::string field(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains({name.data(), name.size()});
    if (value == nullptr || !value->is_string()) return {};
    std::string text = printable(std::string_view(value->get_string()));
    const auto fraction = text.find('.');
    if (name.ends_with("_at") && fraction != std::string::npos)
        text.replace(fraction, text.npos, "Z");
    return text;
}

const json::array& list(const json::object& object, std::string_view name) {
    static const json::array none;
    const auto* value = object.if_contains({name.data(), name.size()});
    return value != nullptr && value->is_array() ? value->get_array() : none;
}

struct Column {
    std::string_view title;
    std::string_view field;
};

Table table_of(const json::array& items, const std::vector<Column>& columns) {
    Table table;
    for (const Column& column : columns) table.head.emplace_back(column.title);
    for (const json::value& item : items) {
        if (!item.is_object()) continue;
        std::vector<std::string> row;
        for (const Column& column : columns) row.push_back(field(item.get_object(), column.field));
        table.rows.push_back(std::move(row));
    }
    return table;
}

const std::vector<Column> partner_columns{{"PARTNER ID", "partner_id"},
                                          {"NAME", "name"},
                                          {"CREATED", "created_at"},
                                          {"DISABLED", "disabled_at"}};
const std::vector<Column> key_columns{{"KEY ID", "api_key_id"},
                                      {"ENDS IN", "hint"},
                                      {"CREATED", "created_at"},
                                      {"REVOKED", "revoked_at"}};
const std::vector<Column> line_columns{
    {"LINE", "number"}, {"PARTNER ID", "partner_id"}, {"CREATED", "created_at"}};

void print_json(const json::value& value) {
    print(json::serialize(value) + "\n");
}

int show_list(const AdminOptions& options,
              const json::array& items,
              const std::vector<Column>& columns,
              std::string_view none) {
    if (options.format == Format::json) {
        print_json(items);
    } else if (items.empty()) {
        print(std::string(none) + "\n");
    } else {
        print_table(table_of(items, columns));
    }
    return 0;
}

// "name: value" lines, names padded to one width.
int show_fields(const AdminOptions& options,
                const json::object& object,
                const std::vector<Column>& columns) {
    if (options.format == Format::json) {
        print_json(object);
        return 0;
    }
    std::size_t width = 0;
    for (const Column& column : columns) width = std::max(width, column.title.size());
    for (const Column& column : columns) {
        const std::string value = field(object, column.field);
        if (value.empty()) continue;
        std::string title(column.title);
        title.resize(width, ' ');
        print(title + "  " + value + "\n");
    }
    return 0;
}

int say(const AdminOptions& options, const json::object& object, const std::string& line) {
    if (options.format == Format::json) {
        print_json(object);
    } else {
        print(line + "\n");
    }
    return 0;
}

// The key as a program takes it, the warning where people read it.
int show_new_key(const AdminOptions& options,
                 const json::object& object,
                 const std::vector<Column>& columns) {
    const int code = show_fields(options, object, columns);
    if (options.format == Format::text) {
        print("\nKeep the api_key now: it is not stored and cannot be shown again.\n");
    }
    return code;
}

std::string below_partner(const std::string& partner, std::string_view rest) {
    return "/partners/" + encode_segment(partner) + std::string(rest);
}

}  // namespace

Result<int> partner_add(const AdminOptions& options, const std::string& name) {
    TRY(const AdminClient client, connect(options));
    TRY(const json::object made, client.call("POST", "/partners", json::object{{"name", name}}));
    return show_new_key(options, made,
                        {{"partner_id", "partner_id"},
                         {"name", "name"},
                         {"api_key", "api_key"},
                         {"api_key_id", "api_key_id"}});
}

Result<int> partner_list(const AdminOptions& options) {
    TRY(const AdminClient client, connect(options));
    TRY(const json::object answer, client.call("GET", "/partners"));
    return show_list(options, list(answer, "partners"), partner_columns,
                     "No partners yet; satchel partner add NAME makes one.");
}

Result<int> partner_show(const AdminOptions& options, const std::string& id) {
    TRY(const AdminClient client, connect(options));
    TRY(const json::object partner, client.call("GET", below_partner(id, "")));
    show_fields(options, partner,
                {{"partner_id", "partner_id"},
                 {"name", "name"},
                 {"created", "created_at"},
                 {"disabled", "disabled_at"}});
    if (options.format == Format::json) return 0;
    if (const auto* quota = partner.if_contains("quota"); quota != nullptr && quota->is_object()) {
        print("\n");
        print_table(quota_table(quota->get_object()));
    }
    if (!list(partner, "keys").empty()) {
        print("\n");
        print_table(table_of(list(partner, "keys"), key_columns));
    }
    if (!list(partner, "lines").empty()) {
        print("\n");
        print_table(
            table_of(list(partner, "lines"), {{"LINE", "number"}, {"CREATED", "created_at"}}));
    }
    return 0;
}

Result<int> partner_disable(const AdminOptions& options, const std::string& id) {
    TRY(const AdminClient client, connect(options));
    TRY(const json::object partner, client.call("POST", below_partner(id, "/disable")));
    return say(options, partner,
               "disabled " + field(partner, "name") + " (" + field(partner, "partner_id") +
                   "); its API keys no longer work");
}

Result<int> key_add(const AdminOptions& options, const std::string& partner) {
    TRY(const AdminClient client, connect(options));
    TRY(const json::object made, client.call("POST", below_partner(partner, "/keys")));
    return show_new_key(options, made, {{"api_key", "api_key"}, {"api_key_id", "api_key_id"}});
}

Result<int> key_list(const AdminOptions& options, const std::string& partner) {
    TRY(const AdminClient client, connect(options));
    TRY(const json::object answer, client.call("GET", below_partner(partner, "/keys")));
    return show_list(options, list(answer, "keys"), key_columns,
                     "No keys; satchel key add PARTNER makes one.");
}

Result<int> key_revoke(const AdminOptions& options, const std::string& key_id) {
    TRY(const AdminClient client, connect(options));
    CHECK(client.call("DELETE", "/keys/" + encode_segment(key_id)));
    return say(options, {{"api_key_id", key_id}, {"revoked", true}},
               "revoked " + printable(key_id) + "; it no longer works");
}

Result<int> line_add(const AdminOptions& options,
                     const std::string& partner,
                     const std::string& number) {
    TRY(const AdminClient client, connect(options));
    TRY(const json::object line,
        client.call("POST", below_partner(partner, "/lines"), json::object{{"number", number}}));
    return say(options, line,
               "added " + field(line, "number") + " to " + field(line, "partner_id"));
}

Result<int> line_list(const AdminOptions& options) {
    TRY(const AdminClient client, connect(options));
    TRY(const json::object answer, client.call("GET", "/lines"));
    return show_list(options, list(answer, "lines"), line_columns,
                     "No lines yet; satchel line add PARTNER +15550100001 adds one.");
}

Result<int> line_remove(const AdminOptions& options, const std::string& number) {
    TRY(const AdminClient client, connect(options));
    CHECK(client.call("DELETE", "/lines/" + encode_segment(number)));
    return say(options, {{"number", number}, {"removed", true}}, "removed " + printable(number));
}

}  // namespace satchel::app
