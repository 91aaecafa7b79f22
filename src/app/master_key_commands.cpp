// satchel keys: versions of the master key.
#include "app/commands.hpp"
#include "app/progress_bar.hpp"
#include "base/limits.hpp"
#include "crypto/master_key_text.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

namespace satchel::app {
namespace {

namespace json = boost::json;
using std::chrono::steady_clock;

constexpr auto look_interval = std::chrono::milliseconds(200);
constexpr auto rewrap_stall_max = std::chrono::minutes(5);

Result<AdminClient> connect(const AdminOptions& options) {
    TRY(AdminAccess access, find_server(options.server));
    return AdminClient(std::move(access));
}

void print_json(const json::value& value) {
    print(json::serialize(value) + "\n");
}

std::uint64_t number_in(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains({name.data(), name.size()});
    return value == nullptr || !value->is_number() ? 0 : value->to_number<std::uint64_t>();
}

bool is_true(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains({name.data(), name.size()});
    return value != nullptr && value->is_bool() && value->get_bool();
}

std::string day_in(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains({name.data(), name.size()});
    if (value == nullptr || !value->is_string()) return {};
    std::string text = printable(std::string_view(value->get_string()));
    const auto fraction = text.find('.');
    if (fraction != std::string::npos) text.replace(fraction, text.npos, "Z");
    return text;
}

std::string plural(std::uint64_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

// Until nothing is left to re-wrap, or what is left cannot be. The server goes on without us.
Result<json::object> wait_for_rewrap(const AdminClient& client, json::object progress) {
    ProgressBar bar("re-wrapping");
    const std::uint64_t total = std::max<std::uint64_t>(number_in(progress, "remaining"), 1);
    std::uint64_t least = total;
    auto moved_at = steady_clock::now();
    while (is_true(progress, "running") && number_in(progress, "damaged") == 0) {
        std::this_thread::sleep_for(look_interval);
        TRY(progress, client.call("GET", "/master-keys/rewrap"));
        const std::uint64_t left = number_in(progress, "remaining");
        if (left < least) {
            least = left;
            moved_at = steady_clock::now();
        }
        if (steady_clock::now() - moved_at > rewrap_stall_max) {
            return refuse(
                "the new version is in use, but re-wrapping does not move; see the "
                "server's log. satchel keys list shows how far it has come");
        }
        bar.show(total - std::min(left, total), total, plural(left, "left", "left"));
    }
    return progress;
}

std::string status_of(const json::object& key) {
    if (is_true(key, "in_use")) return "in use";
    if (!day_in(key, "retired_at").empty()) return "retired";
    return day_in(key, "emptied_at").empty() ? "re-wrapping" : "not needed";
}

}  // namespace

Result<int> master_key_rotate(const AdminOptions& options, bool in_background) {
    TRY(const AdminClient client, connect(options));
    TRY(json::object progress, client.call("POST", "/master-keys/rotate"));
    const std::string version = std::to_string(number_in(progress, "version"));
    const bool is_text = options.format == Format::text;
    if (is_text) print("version " + version + " of the master key is in use\n");
    if (!in_background) {
        TRY(progress, wait_for_rewrap(client, std::move(progress)));
    }
    if (!is_text) {
        print_json(progress);
    } else if (in_background) {
        print(
            "the server re-wraps what was under older versions; satchel keys list shows how far "
            "it has come\n");
    }
    const std::uint64_t damaged = number_in(progress, "damaged");
    if (damaged > 0) {
        return refuse("the keys of " + plural(damaged, "attachment", "attachments") +
                      " could not be unwrapped and stay as they are; satchel fsck names them");
    }
    if (is_text && !in_background) {
        print("re-wrapped the keys of " +
              plural(number_in(progress, "rewrapped"), "attachment", "attachments") +
              "; nothing needs an older version any more\n");
    }
    return 0;
}

Result<int> master_key_list(const AdminOptions& options) {
    TRY(const AdminClient client, connect(options));
    TRY(const json::object answer, client.call("GET", "/master-keys"));
    const auto* const keys = answer.if_contains("keys");
    if (keys == nullptr || !keys->is_array()) {
        return refuse("the server's answer is no list; use the satchel that it runs");
    }
    if (options.format == Format::json) {
        print_json(*keys);
        return 0;
    }
    Table table{{"VERSION", "STATUS", "ATTACHMENTS", "IN USE SINCE", "RETIRED", "CHECK"}, {}};
    for (const json::value& each : keys->get_array()) {
        if (!each.is_object()) continue;
        const json::object& key = each.get_object();
        table.rows.push_back({std::to_string(number_in(key, "version")), status_of(key),
                              std::to_string(number_in(key, "attachments")),
                              day_in(key, "in_use_since"), day_in(key, "retired_at"),
                              day_in(key, "check")});
    }
    print_table(table);
    return 0;
}

Result<int> master_key_retire(const AdminOptions& options, const std::string& version) {
    TRY(const AdminClient client, connect(options));
    TRY(const json::object answer,
        client.call("DELETE", "/master-keys/" + encode_segment(version)));
    if (options.format == Format::json) {
        print_json(answer);
        return 0;
    }
    const std::string number = std::to_string(number_in(answer, "version"));
    print("version " + number + " of the master key is retired");
    print(is_true(answer, "removed_from_file")
              ? " and gone from the key file\n"
              : "; take its line out of what encryption.master_key_command prints\n");
    print("backups taken while it was in use still need it: keep a copy of it with them\n");
    return 0;
}

Result<int> master_key_generate(std::uint32_t version, Format format) {
    crypto::SecretText line;
    crypto::append_key_line(line, {.version = version, .key = crypto::Key::random()});
    if (format == Format::text) {
        print(line.text);
        return 0;
    }
    line.text.pop_back();
    print_json(json::object{{"version", version}, {"line", line.text}});
    return 0;
}

}  // namespace satchel::app
