// satchel serve: the production server.
#include "app/commands.hpp"
#include "app/config.hpp"
#include "app/key_work.hpp"
#include "app/server.hpp"
#include "base/log.hpp"
#include "http/tls.hpp"

#include <boost/json.hpp>

namespace satchel::app {
namespace {

// What a start would use that the file only names. The master key may still have to be made.
Result<> check_files(const Config& config) {
    if (config.has_tls()) {
        CHECK(http::make_tls_context({config.server.tls_cert, config.server.tls_key}));
    }
    return check_keys(config);
}

Result<int> check_only(const ServeOptions& options, const Config& config) {
    CHECK(check_files(config));
    const std::string subject = options.config.empty() ? "the environment" : options.config;
    if (options.format == Format::json) {
        print(boost::json::serialize(boost::json::object{{"ok", true}, {"config", subject}}) +
              "\n");
    } else {
        print(subject + ": ok\n");
    }
    return 0;
}

}  // namespace

Result<int> run_serve(const ServeOptions& options) {
    std::optional<std::filesystem::path> file;
    if (!options.config.empty()) file = options.config;
    TRY(const Config config, load_config({}, file, process_environment()));
    if (options.check) return check_only(options, config);

    prepare_process(config);
    ServerOptions server_options;
    server_options.config = config;
    server_options.test_clock = options.test_clock;
    TRY(const auto server, Server::open(std::move(server_options)));
    CHECK(server->run([](const RunningServer& running) -> Result<> {
        log::info("ready", {{"api_url", running.api_url}, {"admin_url", running.admin.url}});
        return {};
    }));
    return 0;
}

}  // namespace satchel::app
