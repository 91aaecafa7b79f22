// The whole server in one process, spoken to as the command line does.
#include "app/server.hpp"

#include "app/admin_client.hpp"
#include "app/client.hpp"
#include "tests/support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include <fstream>
#include <future>
#include <thread>

namespace satchel::app {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;
namespace json = boost::json;

Config config_in(const fs::path& folder) {
    Config config;
    config.server.listen = {"127.0.0.1", 0};
    config.admin.listen = {"127.0.0.1", 0};
    config.server.threads = 2;
    config.metadata.sqlite = folder / "satchel.db";
    config.blobs.local = folder / "blobs";
    config.encryption.master_key_file = folder / "master.key";
    config.log.level = log::Level::off;
    return config;
}

ServerOptions demo_options(const fs::path& folder) {
    ServerOptions options;
    options.config = config_in(folder);
    options.demo = DemoPartner{"demo", {"+15550100001"}};
    return options;
}

// Runs from its making to its end.
class RunningServerFixture {
public:
    explicit RunningServerFixture(ServerOptions options) {
        auto opened = Server::open(std::move(options));
        if (!opened) {
            ADD_FAILURE() << opened.error().message;
            return;
        }
        server_ = *std::move(opened);
        std::promise<RunningServer> ready;
        auto is_ready = ready.get_future();
        thread_ = std::thread([this, ready = std::move(ready)]() mutable {
            outcome_ = server_->run([&ready](const RunningServer& running) -> Result<> {
                ready.set_value(running);
                return {};
            });
        });
        running_ = is_ready.get();
    }
    ~RunningServerFixture() { stop(); }

    void stop() {
        if (!thread_.joinable()) return;
        server_->request_stop();
        thread_.join();
        EXPECT_TRUE(outcome_);
        server_.reset();
    }
    const RunningServer& about() const { return running_; }
    AdminClient admin() const { return AdminClient(running_.admin); }

    ClientResponse get(const std::string& path, const std::string& token = {}) const {
        ClientRequest request;
        request.method = "GET";
        request.url = running_.api_url + path;
        if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
        const auto response = send_request(request);
        EXPECT_TRUE(response);
        return response ? *response : ClientResponse{};
    }

private:
    std::unique_ptr<Server> server_;
    std::thread thread_;
    RunningServer running_;
    Result<> outcome_;
};

struct ServerTest : testing::Test {
    test::TempFolder folder;
    const fs::path data = folder / "data";
};

TEST_F(ServerTest, what_is_uploaded_is_served_and_survives_a_restart) {
    std::string download_path;
    {
        const RunningServerFixture server(demo_options(data));
        const auto made = server.admin().call(
            "POST", "/partners/demo/attachments",
            json::object{{"filename", "a.txt"}, {"content_type", "text/plain"}, {"size_bytes", 5}});
        ASSERT_TRUE(made);
        std::ofstream(folder / "a.txt") << "hello";
        ClientRequest put;
        put.method = "PUT";
        put.url = std::string(made->at("upload_url").as_string());
        put.headers.emplace_back("Content-Type", "text/plain");
        put.file = folder / "a.txt";
        std::uint64_t reported = 0;
        put.progress = [&reported](std::uint64_t sent, std::uint64_t) { reported = sent; };
        const auto response = send_request(put);
        ASSERT_TRUE(response);
        EXPECT_EQ(response->status, 200);
        EXPECT_EQ(reported, 5U);
        const std::string url(made->at("download_url").as_string());
        download_path = url.substr(server.about().api_url.size());
        EXPECT_EQ(server.get(download_path).body, "hello");
    }
    const RunningServerFixture again(demo_options(data));
    EXPECT_EQ(again.get(download_path).body, "hello");
}

TEST_F(ServerTest, the_demo_key_is_the_same_at_every_start_and_works) {
    std::string key;
    {
        const RunningServerFixture server(demo_options(data));
        key = server.about().demo_api_key;
        EXPECT_EQ(server.get("/v3/attachments/x", key).status, 400);
    }
    const RunningServerFixture again(demo_options(data));
    EXPECT_EQ(again.about().demo_api_key, key);
    EXPECT_EQ(again.admin().call("GET", "/partners")->at("partners").as_array().size(), 1U);
}

TEST_F(ServerTest, admin_json_is_there_while_it_runs_and_gone_afterwards) {
    RunningServerFixture server(demo_options(data));
    const auto access = read_admin_file(data);
    ASSERT_TRUE(access);
    EXPECT_EQ(access->url, server.about().admin.url);
    EXPECT_EQ(access->token, server.about().admin.token);
    server.stop();
    EXPECT_FALSE(fs::exists(data / "admin.json"));
}

TEST_F(ServerTest, a_folder_and_a_port_have_one_server) {
    const RunningServerFixture server(demo_options(data));
    const auto same_folder = Server::open(demo_options(data));
    ASSERT_FALSE(same_folder);
    EXPECT_THAT(same_folder.error().message, HasSubstr("in use by another satchel"));

    ServerOptions same_port = demo_options(folder / "other");
    const std::string& url = server.about().api_url;
    same_port.config.server.listen.port =
        static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    const auto refused = Server::open(std::move(same_port));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("cannot listen on 127.0.0.1:"));
}

TEST_F(ServerTest, a_lost_master_key_is_not_replaced) {
    {
        const RunningServerFixture server(demo_options(data));
    }
    fs::remove(data / "master.key");
    const auto opened = Server::open(demo_options(data));
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr("master.key is missing"));
    EXPECT_FALSE(fs::exists(data / "master.key"));
}

TEST_F(ServerTest, time_moves_only_with_a_test_clock) {
    const json::object hour{{"advance_seconds", 3600}};
    {
        const RunningServerFixture server(demo_options(data));
        EXPECT_EQ(server.admin().ask("POST", "/clock", hour)->status, 403);
    }
    ServerOptions options = demo_options(data);
    options.test_clock = true;
    const RunningServerFixture server(std::move(options));
    const json::object wanted{
        {"filename", "a.txt"}, {"content_type", "text/plain"}, {"size_bytes", 5}};
    const auto made = server.admin().call("POST", "/partners/demo/attachments", wanted);
    ASSERT_TRUE(made);
    EXPECT_EQ(server.admin().ask("POST", "/clock", hour)->status, 200);
    const std::string path =
        "/v3/attachments/" + std::string(made->at("attachment_id").as_string());
    EXPECT_THAT(server.get(path, server.about().demo_api_key).body,
                HasSubstr("\"status\":\"failed\""));
    const json::object day{{"advance_seconds", 25 * 3600}};
    EXPECT_EQ(server.admin().ask("POST", "/clock", day)->status, 200);
    EXPECT_EQ(server.get(path, server.about().demo_api_key).status, 404);
}

TEST_F(ServerTest, the_admin_api_wants_its_token_and_metrics_do_not) {
    const RunningServerFixture server(demo_options(data));
    const AdminClient stranger({server.about().admin.url, "wrong"});
    EXPECT_EQ(stranger.ask("GET", "/partners")->status, 401);
    EXPECT_EQ(stranger.ask("GET", "/nowhere")->status, 401);
    ClientRequest request;
    request.method = "GET";
    request.url = server.about().admin.url + "/metrics";
    const auto metrics = send_request(request);
    ASSERT_TRUE(metrics);
    EXPECT_EQ(metrics->status, 200);
    EXPECT_THAT(metrics->body, HasSubstr("satchel_commits_total"));
    EXPECT_THAT(metrics->body, HasSubstr("satchel_http_requests_total{route="));
}

TEST_F(ServerTest, the_admin_api_answers_as_it_should) {
    const RunningServerFixture server(demo_options(data));
    const AdminClient admin = server.admin();
    struct Case {
        const char* method;
        const char* path;
        std::optional<json::object> body;
        int status;
    };
    const std::string unknown = "/keys/" + std::string("00000000-0000-4000-8000-000000000000");
    const std::vector<Case> cases{
        {"GET", "/health", {}, 200},
        {"GET", "/stats", {}, 200},
        {"GET", "/nowhere", {}, 404},
        {"PUT", "/partners", {}, 405},
        {"POST", "/partners", json::object{}, 400},
        {"POST", "/partners", json::object{{"name", 1}}, 400},
        {"POST", "/partners", json::object{{"name", "demo"}}, 400},
        {"POST", "/partners", json::object{{"name", "Acme & Co"}}, 201},
        {"GET", "/partners/Acme%20%26%20Co", {}, 200},
        {"GET", "/partners/%zz", {}, 400},
        {"GET", "/partners/nobody", {}, 404},
        {"POST", "/partners/Acme%20%26%20Co/keys", {}, 201},
        {"GET", "/partners/Acme%20%26%20Co/keys", {}, 200},
        {"DELETE", "/keys/nonsense", {}, 400},
        {"DELETE", unknown.c_str(), {}, 404},
        {"POST", "/partners/demo/lines", json::object{{"number", "030"}}, 400},
        {"POST", "/partners/demo/lines", json::object{{"number", "+4930123456"}}, 201},
        {"GET", "/lines", {}, 200},
        {"DELETE", "/lines/%2B4930123456", {}, 204},
        {"DELETE", "/lines/+4930123456", {}, 404},
        {"POST", "/partners/demo/disable", {}, 200},
    };
    for (const Case& each : cases) {
        const auto answer = admin.ask(each.method, each.path, each.body);
        ASSERT_TRUE(answer) << each.path;
        EXPECT_EQ(answer->status, each.status) << each.method << " " << each.path;
        EXPECT_EQ(answer->body.contains("error"), each.status >= 400) << each.path;
    }
    EXPECT_EQ(server.get("/v3/attachments/x", server.about().demo_api_key).status, 401);
}

}  // namespace
}  // namespace satchel::app
