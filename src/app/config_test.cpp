#include "app/config.hpp"

#include "app/config_keys.hpp"
#include "tests/support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace satchel::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct ConfigTest : testing::Test {
    test::TempFolder folder;
    const std::filesystem::path file = folder / "satchel.toml";

    static constexpr std::string_view complete =
        "[metadata]\nsqlite = \"data/satchel.db\"\n"
        "[blobs]\nlocal = \"data/blobs\"\n"
        "[encryption]\nmaster_key_file = \"master.key\"\n";

    Result<Config> load(std::string_view text, const Environment& environment = {}) {
        std::ofstream(file) << text;
        return load_config({}, file, environment);
    }
    // `text` stands before the required keys: its first line is line 1 of the file.
    Result<Config> load_with(std::string_view text, const Environment& environment = {}) {
        return load(std::string(text) + "\n" + std::string(complete), environment);
    }
    std::string refusal(std::string_view text, const Environment& environment = {}) {
        const auto loaded = load_with(text, environment);
        return loaded ? "accepted" : loaded.error().message;
    }
};

TEST_F(ConfigTest, what_the_file_says_is_what_is_set) {
    const auto config = load_with(
        "[server]\nlisten = \"[::1]:9000\"\nthreads = 3\nconnections_max = 50\n"
        "cors_origin = \"https://app.example.com\"\n[log]\nlevel = \"warn\"\n"
        "[media]\naccept_webp_and_svg = true\naccept_former_types = false");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->server.listen, (Endpoint{"::1", 9000}));
    EXPECT_EQ(config->server.threads, 3U);
    EXPECT_EQ(config->server.connections_max, 50U);
    EXPECT_EQ(config->server.cors_origin, "https://app.example.com");
    EXPECT_EQ(config->log.level, log::Level::warn);
    EXPECT_TRUE(config->media.accept_webp_and_svg);
    EXPECT_FALSE(config->media.accept_former_types);
}

TEST_F(ConfigTest, relative_paths_are_meant_from_the_folder_of_the_file) {
    const auto config = load(complete);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->metadata.sqlite, folder / "data/satchel.db");
    EXPECT_EQ(config->encryption.master_key_file, folder / "master.key");
    EXPECT_EQ(config->data_folder(), folder / "data");
}

TEST_F(ConfigTest, the_environment_wins_over_the_file) {
    const auto config = load_with(
        "[server]\nlisten = \"127.0.0.1:9000\"",
        {{"SATCHEL_SERVER__LISTEN", "127.0.0.1:9001"}, {"SATCHEL_BLOBS__LOCAL", "/elsewhere"}});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->server.listen.port, 9001);
    EXPECT_EQ(config->blobs.local, "/elsewhere");
}

TEST_F(ConfigTest, the_environment_alone_is_enough) {
    const auto config = load_config({}, std::nullopt,
                                    {{"SATCHEL_METADATA__SQLITE", "/d/satchel.db"},
                                     {"SATCHEL_BLOBS__LOCAL", "/d/blobs"},
                                     {"SATCHEL_ENCRYPTION__MASTER_KEY_FILE", "/d/master.key"}});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->data_folder(), "/d");
}

TEST_F(ConfigTest, an_unknown_key_is_refused_with_file_line_and_what_is_accepted) {
    EXPECT_THAT(refusal("\n[log]\nlevell = \"info\""),
                AllOf(HasSubstr("satchel.toml:3: "), HasSubstr("unknown key log.levell"),
                      HasSubstr("accepted in [log]: level")));
    EXPECT_THAT(refusal("[serverr]\nlisten = \"127.0.0.1:1\""),
                AllOf(HasSubstr("satchel.toml:1: "), HasSubstr("unknown section serverr"),
                      HasSubstr("server, admin, metadata")));
    EXPECT_THAT(refusal("level = \"info\""), HasSubstr("satchel.toml:1: unknown section level"));
    EXPECT_THAT(refusal("log = \"info\""), HasSubstr("satchel.toml:1: log is a section"));
}

TEST_F(ConfigTest, a_bad_value_is_refused_with_file_line_and_what_is_accepted) {
    EXPECT_THAT(
        refusal("[log]\nlevel = \"loud\""),
        AllOf(HasSubstr("satchel.toml:2: log.level must be debug, info, warn, error or off"),
              HasSubstr("it is \"loud\"")));
    EXPECT_THAT(refusal("[server]\nthreads = \"4\""), HasSubstr("satchel.toml:2: server.threads"));
    EXPECT_THAT(refusal("[server]\nthreads = 65"), HasSubstr("satchel.toml:2: server.threads"));
    EXPECT_THAT(refusal("[server]\nthreads = -1"), HasSubstr("satchel.toml:2: server.threads"));
    EXPECT_THAT(refusal("[server]\n\nlisten = \"here\""),
                HasSubstr("satchel.toml:3: server.listen"));
    EXPECT_THAT(refusal("[server]\nbehind_tls_proxy = \"yes\""), HasSubstr("true or false"));
    EXPECT_THAT(refusal("[server]\npublic_upload_url = \"https://a.example/b\""),
                HasSubstr("without a path"));
    EXPECT_THAT(refusal("[server]\npublic_api_url = \"ftp://a.example\""),
                HasSubstr("satchel.toml:2: server.public_api_url must be a URL"));
}

TEST_F(ConfigTest, broken_toml_is_refused_with_file_and_line) {
    EXPECT_THAT(refusal("[server]\nlisten = 127.0.0.1:8780"), HasSubstr("satchel.toml:2: "));
}

TEST_F(ConfigTest, a_bad_or_unknown_variable_is_refused_by_name) {
    EXPECT_THAT(refusal("", {{"SATCHEL_LOG__LEVEL", "loud"}}),
                HasSubstr("SATCHEL_LOG__LEVEL: must be debug"));
    EXPECT_EQ(refusal("", {{"SATCHEL_LOG__LEVELL", "info"}}),
              "SATCHEL_LOG__LEVELL: no such setting; accepted: SATCHEL_LOG__LEVEL");
    EXPECT_THAT(refusal("", {{"SATCHEL_LOGS__LEVEL", "info"}}),
                AllOf(HasSubstr("SATCHEL_LOGS__LEVEL: no such setting"),
                      HasSubstr("SATCHEL_LOG__LEVEL"), HasSubstr("SATCHEL_SERVER__LISTEN")));
}

TEST_F(ConfigTest, variables_that_clients_of_the_server_read_are_not_settings) {
    EXPECT_EQ(refusal("", {{"SATCHEL_ADMIN_URL", "x"}, {"SATCHEL_PARTNER_ID", "y"}, {"A__B", ""}}),
              "accepted");
}

TEST_F(ConfigTest, a_secret_never_appears_in_a_message) {
    const auto message = refusal("[admin]\ntoken = \"hunter2\"");
    EXPECT_THAT(message, HasSubstr("satchel.toml:2: admin.token"));
    EXPECT_THAT(message, testing::Not(HasSubstr("hunter2")));
}

TEST_F(ConfigTest, a_token_may_stand_in_a_file) {
    std::ofstream(folder / "token") << "0123456789abcdef\n";
    const auto config = load_with("[admin]\ntoken_file = \"token\"");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->admin.token, "0123456789abcdef");
    EXPECT_THAT(refusal("[admin]\ntoken_file = \"token\"\ntoken = \"0123456789abcdefg\""),
                HasSubstr("not both"));
    EXPECT_THAT(refusal("[admin]\ntoken_file = \"absent\""), HasSubstr("satchel.toml:2: "));
}

TEST_F(ConfigTest, clear_text_beyond_loopback_is_refused_unless_a_proxy_does_tls) {
    const std::string open =
        "[server]\nlisten = \"0.0.0.0:8780\"\n"
        "public_api_url = \"https://files.example.com/\"\n";
    EXPECT_THAT(refusal(open),
                AllOf(HasSubstr("satchel.toml:2: server.listen"), HasSubstr("behind_tls_proxy")));
    EXPECT_EQ(refusal(open + "behind_tls_proxy = true"), "accepted");
    EXPECT_EQ(refusal(open + "tls_cert = \"c.pem\"\ntls_key = \"k.pem\""), "accepted");
    EXPECT_EQ(refusal("[server]\nlisten = \"127.0.0.2:8780\""), "accepted");
    EXPECT_THAT(refusal("[admin]\nlisten = \"[::]:8781\""),
                HasSubstr("satchel.toml:2: admin.listen"));
}

TEST_F(ConfigTest, a_certificate_and_its_key_come_together) {
    EXPECT_THAT(refusal("[server]\ntls_cert = \"c.pem\""),
                HasSubstr("satchel.toml:2: server.tls_cert needs server.tls_key"));
}

TEST_F(ConfigTest, a_server_beyond_loopback_must_know_its_public_url) {
    EXPECT_THAT(refusal("[server]\nbehind_tls_proxy = true"),
                HasSubstr("server.public_api_url is not set"));
    EXPECT_THAT(refusal("[server]\npublic_api_url = \"https://a.example/api/partner\""),
                HasSubstr("without /api/partner"));
}

TEST_F(ConfigTest, what_must_be_set_is_named_with_an_example) {
    const auto config = load("[log]\nlevel = \"info\"");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message, AllOf(HasSubstr("metadata.sqlite is not set"),
                                              HasSubstr("SATCHEL_METADATA__SQLITE")));
}

TEST_F(ConfigTest, a_file_that_is_not_there_is_named) {
    const auto config = load_config({}, folder / "absent.toml", {});
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message, HasSubstr("absent.toml: cannot be read"));
}

TEST_F(ConfigTest, the_sample_file_is_accepted_and_names_every_key) {
    const std::filesystem::path sample =
        std::filesystem::path(SATCHEL_SOURCE_DIR) / "satchel.example.toml";
    const auto config = load_config({}, sample, {});
    EXPECT_TRUE(config) << config.error().message;
    std::ifstream stream(sample);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    for (const ConfigKey& key : config_keys()) {
        EXPECT_THAT(text, HasSubstr(std::string(key.name.substr(key.section().size() + 1))));
    }
}

const std::string bridge_secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

TEST_F(ConfigTest, a_bridge_is_an_address_and_a_secret) {
    std::ofstream(folder / "secret") << bridge_secret << "\n";
    for (const std::string& secret :
         {"secret = \"" + bridge_secret + "\"", std::string("secret_file = \"secret\"")}) {
        const auto config =
            load_with("[gateway]\nkind = \"http\"\nurl = \"http://127.0.0.1:9000/in\"\n" + secret);
        ASSERT_TRUE(config) << config.error().message;
        EXPECT_EQ(config->gateway.kind, Config::GatewayKind::http);
        EXPECT_EQ(config->gateway.url, "http://127.0.0.1:9000/in");
        EXPECT_EQ(config->gateway.secret, bridge_secret);
    }
    EXPECT_EQ(load(complete)->gateway.kind, Config::GatewayKind::sandbox);
}

TEST_F(ConfigTest, half_a_bridge_is_refused) {
    EXPECT_THAT(refusal("[gateway]\nkind = \"http\""),
                AllOf(HasSubstr("satchel.toml:2: gateway.kind"), HasSubstr("gateway.url")));
    EXPECT_THAT(refusal("[gateway]\nkind = \"http\"\nurl = \"http://127.0.0.1:9000\""),
                HasSubstr("gateway.secret"));
    EXPECT_THAT(refusal("[gateway]\nurl = \"http://127.0.0.1:9000\""),
                HasSubstr("satchel.toml:2: gateway.url is for a bridge"));
    EXPECT_THAT(refusal("[gateway]\nsecret = \"" + bridge_secret + "\""),
                AllOf(HasSubstr("is for a bridge"), testing::Not(HasSubstr(bridge_secret))));
    EXPECT_THAT(refusal("[gateway]\nsecret = \"0123456789abcdef\""),
                AllOf(HasSubstr("must be whsec_"), testing::Not(HasSubstr("0123456789abcdef"))));
    EXPECT_THAT(refusal("[gateway]\nsecret = \"" + bridge_secret + "\"\nsecret_file = \"x\""),
                HasSubstr("must be the path of a readable file"));
    EXPECT_THAT(refusal("", {{"SATCHEL_GATEWAY__SECRET", bridge_secret},
                             {"SATCHEL_GATEWAY__SECRET_FILE", "x"}}),
                HasSubstr("not both"));
}

}  // namespace
}  // namespace satchel::app
