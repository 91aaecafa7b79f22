// The composition root: makes every part of a running server and joins them.
#pragma once

#include "app/config.hpp"
#include "app/data_folder.hpp"
#include "model/ids.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace satchel::app {

// A partner that is there at every start, with the same key (`satchel dev`).
struct DemoPartner {
    std::string name;
    std::vector<std::string> lines;
};

struct ServerOptions {
    Config config;
    bool test_clock = false;  // The admin API may move time.
    std::optional<DemoPartner> demo;
};

// What a running server can be reached by.
struct RunningServer {
    std::string api_url;  // Without /api/partner.
    AdminAccess admin;
    std::optional<PartnerId> demo_partner;
    std::string demo_api_key;
};

class Server {
public:
    // Locks the data folder, opens keys, database and blobs, puts right what an earlier end
    // left behind, and listens. The error's `message` is one line for the operator.
    static Result<std::unique_ptr<Server>> open(ServerOptions options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Serves until SIGTERM, SIGINT or request_stop(). admin.json stands in the data folder, and
    // `on_ready` is called, once requests are accepted; its error ends the run.
    Result<> run(const std::function<Result<>(const RunningServer&)>& on_ready);

    // Usable from any thread while run() runs.
    void request_stop();

private:
    struct State;
    explicit Server(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// For the start of a process that will be a server: file descriptors to the hard limit, no
// SIGPIPE, one memory arena for each loop, that of conversions too, and one for all other threads.
void prepare_process(const Config& config);

}  // namespace satchel::app
