// satchel erase.
#include "app/commands.hpp"
#include "base/rfc3339.hpp"

#include <boost/json.hpp>

#include <unistd.h>

#include <array>

#include <cstdio>
#include <iostream>

namespace satchel::app {
namespace {

namespace json = boost::json;

// What people are shown, in this order.
constexpr std::array names{std::pair{"attachments", "attachments"},
                           std::pair{"messages", "messages"},
                           std::pair{"reactions", "reactions to messages that stay"},
                           std::pair{"chats", "chats"},
                           std::pair{"participants", "participants of groups made nameless"},
                           std::pair{"events", "webhook events"},
                           std::pair{"waiting_messages", "messages that were just coming in"},
                           std::pair{"contact_cards", "contact cards"},
                           std::pair{"blocked_handles", "blocked handles"},
                           std::pair{"idempotency_keys", "idempotency keys"}};

json::object request_of(const EraseOptions& options) {
    json::object body{{"partner_id", options.partner}};
    if (!options.handle.empty()) body["handle"] = options.handle;
    if (!options.before.empty()) {
        if (const auto before = parse_since(options.before)) body["before"] = to_rfc3339(*before);
    }
    return body;
}

void add(json::object& sum, const json::object& answer) {
    const json::value* const erased = answer.if_contains("erased");
    if (erased == nullptr || !erased->is_object()) return;
    for (const auto& [name, count] : erased->get_object()) {
        json::value& total = sum[name];
        const std::int64_t before = total.is_int64() ? total.get_int64() : 0;
        total = before + (count.is_int64() ? count.get_int64() : 0);
    }
}

// Step after step, until the server says that nothing is left.
Result<json::object> run_all(const AdminClient& client, json::object body, bool is_dry) {
    body["dry_run"] = is_dry;
    json::object sum;
    while (true) {
        TRY(const json::object answer, client.call("POST", "/erasures", body));
        add(sum, answer);
        const json::value* const position = answer.if_contains("position");
        if (position == nullptr || !position->is_string()) return sum;
        body["position"] = *position;
    }
}

std::string shown(const json::object& counts) {
    std::string text;
    for (const auto& [name, words] : names) {
        const json::value* const count = counts.if_contains(name);
        if (count == nullptr || !count->is_int64() || count->get_int64() == 0) continue;
        text += "  " + std::to_string(count->get_int64()) + " " + words + "\n";
    }
    return text.empty() ? "  nothing\n" : text;
}

bool confirmed() {
    std::fputs("This cannot be undone. Type yes to erase: ", stderr);
    std::string line;
    return std::getline(std::cin, line) && line == "yes";
}

}  // namespace

bool erase_can_ask() {
    return ::isatty(STDIN_FILENO) != 0;
}

Result<int> run_erase(const EraseOptions& options) {
    TRY(AdminAccess access, find_server(options.admin.server));
    const AdminClient client(std::move(access));
    const json::object body = request_of(options);
    const bool is_json = options.admin.format == Format::json;
    if (options.dry_run || !options.yes) {
        TRY(const json::object found, run_all(client, body, true));
        if (is_json && options.dry_run) {
            print(json::serialize(json::object{{"dry_run", true}, {"erased", found}}) + "\n");
            return 0;
        }
        const std::string text = "Would erase:\n" + shown(found);
        if (options.dry_run) {
            print(text);
            return 0;
        }
        std::fputs(text.c_str(), stderr);
        if (!confirmed()) return refuse("nothing was erased");
    }
    TRY(const json::object erased, run_all(client, body, false));
    if (is_json) {
        print(json::serialize(json::object{{"dry_run", false}, {"erased", erased}}) + "\n");
    } else {
        print("Erased:\n" + shown(erased));
    }
    return 0;
}

}  // namespace satchel::app
