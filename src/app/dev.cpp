// satchel dev: a complete server with nothing to configure.
#include "app/commands.hpp"
#include "app/config.hpp"
#include "app/data_folder.hpp"
#include "app/server.hpp"
#include "base/log.hpp"

#include <boost/json.hpp>

#include <utility>

namespace satchel::app {
namespace {

namespace json = boost::json;

constexpr std::uint16_t default_port = 8780;
constexpr std::string_view demo_name = "demo";
constexpr std::string_view first_line = "+15550100001";
constexpr std::string_view second_line = "+15550100002";

Config dev_defaults(const DevOptions& options) {
    const std::filesystem::path folder(options.data.empty() ? default_data_folder
                                                            : std::string_view(options.data));
    Config config;
    config.server.listen = {"127.0.0.1", default_port};
    config.server.cors_origin = "*";
    config.metadata.sqlite = folder / "satchel.db";
    config.blobs.local = folder / "blobs";
    config.encryption.master_key_file = folder / "master.key";
    config.fetch.allow_http = true;
    config.fetch.allow_private_addresses = true;
    config.log.level = log::Level::warn;
    return config;
}

// The port after the API's own; a free one where there is none.
std::uint16_t port_after(std::uint16_t port) {
    return port == 0 || port == 65535 ? std::uint16_t{0} : static_cast<std::uint16_t>(port + 1);
}

bool is_set(const Environment& environment, std::string_view name) {
    return std::ranges::any_of(environment,
                               [name](const auto& entry) { return entry.first == name; });
}

// Defaults, then the environment, then the command line.
Result<Config> dev_config(const DevOptions& options) {
    const Environment environment = process_environment();
    TRY(Config config, load_config(dev_defaults(options), std::nullopt, environment));
    if (options.port) config.server.listen.port = *options.port;
    if (options.admin_port) {
        config.admin.listen.port = *options.admin_port;
    } else if (options.port || !is_set(environment, "SATCHEL_ADMIN__LISTEN")) {
        config.admin.listen.port = port_after(config.server.listen.port);
    }
    return config;
}

using Variables = std::vector<std::pair<std::string, std::string>>;

Variables variables_of(const RunningServer& running) {
    const std::string base = running.api_url + "/api/partner";
    return {{"LINQ_API_V3_BASE_URL", base},
            {"LINQ_API_URL", base},
            {"LINQ_API_V3_API_KEY", running.demo_api_key},
            {"LINQ_TOKEN", running.demo_api_key},
            {"LINQ_FROM_PHONE", std::string(first_line)},
            {"SATCHEL_PARTNER_ID", running.demo_partner->str()},
            {"SATCHEL_ADMIN_URL", running.admin.url},
            {"SATCHEL_ADMIN_TOKEN", running.admin.token}};
}

std::string env_lines(const Variables& variables) {
    std::string text;
    for (const auto& [name, value] : variables) text.append(name + "=" + value + "\n");
    return text;
}

std::string greeting(const RunningServer& running,
                     const Variables& variables,
                     const std::filesystem::path& folder) {
    std::string text = "Satchel is ready.\n\n";
    text += "  API      " + running.api_url + "/api/partner\n";
    text += "  Admin    " + running.admin.url + "\n";
    text += "  Data     " + folder.string() + "\n";
    text += "  Partner  demo (" + running.demo_partner->str() + ")\n";
    text += "  Lines    " + std::string(first_line) + ", " + std::string(second_line) + "\n\n";
    text += "For the shell in which your client runs:\n\n";
    for (const auto& [name, value] : variables)
        text.append("  export " + name + "=" + value + "\n");
    text +=
        "\nThen ask for an upload:\n\n"
        "  curl \"$LINQ_API_V3_BASE_URL/v3/attachments\" \\\n"
        "    -H \"Authorization: Bearer $LINQ_API_V3_API_KEY\" \\\n"
        "    -H 'Content-Type: application/json' \\\n"
        "    -d '{\"filename\":\"hello.txt\",\"content_type\":\"text/plain\","
        "\"size_bytes\":5}'\n\n"
        "or let satchel do it: satchel upload FILE\n"
        "Ctrl-C stops the server; what is stored stays.\n";
    return text;
}

std::string variables_as_json(const Variables& variables) {
    json::object object;
    for (const auto& [name, value] : variables) object[name] = value;
    return json::serialize(object) + "\n";
}

}  // namespace

Result<int> run_dev(const DevOptions& options) {
    TRY(const Config config, dev_config(options));
    prepare_process(config);
    ServerOptions server_options;
    server_options.config = config;
    server_options.test_clock = options.test_clock;
    server_options.demo =
        DemoPartner{std::string(demo_name), {std::string(first_line), std::string(second_line)}};
    TRY(const auto server, Server::open(std::move(server_options)));
    CHECK(server->run([&](const RunningServer& running) -> Result<> {
        const Variables variables = variables_of(running);
        if (!options.env_file.empty()) {
            CHECK(write_private_file(options.env_file, env_lines(variables)));
        }
        print(options.format == Format::json ? variables_as_json(variables)
                                             : greeting(running, variables, config.data_folder()));
        return {};
    }));
    return 0;
}

}  // namespace satchel::app
