#include "app/config.hpp"

#include "app/config_keys.hpp"
#include "base/bytes.hpp"

#include <arpa/inet.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>
#include <map>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace satchel::app {
namespace {

// Each may also be given as NAME_file.
constexpr std::array<std::string_view, 2> secrets{"admin.token", "gateway.secret"};

// Where each key was last set: "satchel.toml:12" or "SATCHEL_SERVER__LISTEN".
using Places = std::map<std::string_view, std::string>;

std::unexpected<Error> wrong(std::string message) {
    Error error;
    error.code = Errc::invalid_argument;
    error.message = std::move(message);
    return std::unexpected(std::move(error));
}

std::string in_quotes(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::string accepted_sections() {
    std::vector<std::string> sections;
    for (const ConfigKey& key : config_keys()) {
        const std::string section(key.section());
        if (std::ranges::find(sections, section) == sections.end()) sections.push_back(section);
    }
    return join(sections);
}

bool is_section(std::string_view name) {
    return std::ranges::any_of(config_keys(),
                               [name](const ConfigKey& key) { return key.section() == name; });
}

std::string accepted_keys(std::string_view section) {
    std::vector<std::string> names;
    for (const ConfigKey& key : config_keys()) {
        if (key.section() == section) names.emplace_back(key.name.substr(section.size() + 1));
    }
    return join(names);
}

Result<> apply(Config& config,
               const ConfigKey& key,
               const RawValue& value,
               std::string place,
               Places& places) {
    if (!key.set(config, value)) {
        std::string message = place + ": ";
        if (!place.starts_with("SATCHEL_")) message += std::string(key.name) + " ";
        message += "must be " + std::string(key.accepted);
        if (!key.secret) message += "; it is " + in_quotes(value.text);
        return wrong(std::move(message));
    }
    places[key.name] = std::move(place);
    return {};
}

std::string place_in(const std::filesystem::path& file, const toml::source_region& source) {
    return file.string() + ":" + std::to_string(source.begin.line);
}

// The value as text, or nullopt if its TOML type is another.
std::optional<std::string> value_text(const toml::node& node, KeyKind kind) {
    switch (kind) {
        case KeyKind::text:
        case KeyKind::command:
            if (const auto* text = node.as_string()) return text->get();
            break;
        case KeyKind::boolean:
            if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
            break;
        case KeyKind::number:
            if (const auto* number = node.as_integer()) return std::to_string(number->get());
            break;
    }
    return std::nullopt;
}

// The words of a list of strings; none if it is anything else.
std::vector<std::string> value_words(const toml::node& node) {
    std::vector<std::string> words;
    const auto* const list = node.as_array();
    if (list == nullptr) return words;
    for (const toml::node& each : *list) {
        const auto* const word = each.as_string();
        if (word == nullptr) return {};
        words.push_back(word->get());
    }
    return words;
}

Result<> apply_section(Config& config,
                       std::string_view section,
                       const toml::table& table,
                       const std::filesystem::path& file,
                       Places& places) {
    for (const auto& [toml_key, node] : table) {
        std::string place = place_in(file, toml_key.source());
        const std::string name = std::string(section) + "." + std::string(toml_key.str());
        const ConfigKey* key = find_key(name);
        if (key == nullptr) {
            return wrong(place + ": unknown key " + name + "; accepted in [" +
                         std::string(section) + "]: " + accepted_keys(section));
        }
        auto text = value_text(node, key->kind);
        const auto words =
            key->kind == KeyKind::command ? value_words(node) : std::vector<std::string>();
        if (!words.empty()) text.emplace();
        if (!text) {
            const std::string_view type = key->kind == KeyKind::text     ? " (a string)"
                                          : key->kind == KeyKind::number ? " (without quotes)"
                                                                         : "";
            return wrong(place + ": " + name + " must be " + std::string(key->accepted) +
                         std::string(type));
        }
        const RawValue value{*text, file.parent_path(), words};
        CHECK(apply(config, *key, value, std::move(place), places));
    }
    for (const std::string_view secret : secrets) {
        const std::string_view key = secret.substr(secret.find('.') + 1);
        const auto in_file = table.find(std::string(key) + "_file");
        if (!secret.starts_with(section) || !table.contains(key) || in_file == table.end())
            continue;
        return wrong(place_in(file, in_file->first.source()) + ": give " + std::string(secret) +
                     " or " + std::string(secret) + "_file, not both");
    }
    return {};
}

Result<> apply_file(Config& config, const std::filesystem::path& file, Places& places) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        return wrong(file.string() + ": cannot be read; check the path and its permissions");
    }
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const toml::parse_result parsed = toml::parse(text, file.string());
    if (!parsed) {
        const auto& error = parsed.error();
        return wrong(place_in(file, error.source()) + ": " + std::string(error.description()));
    }
    for (const auto& [key, node] : parsed.table()) {
        const std::string name(key.str());
        if (!is_section(name)) {
            return wrong(place_in(file, key.source()) + ": unknown section " + name +
                         "; accepted: " + accepted_sections());
        }
        const auto* table = node.as_table();
        if (table == nullptr) {
            return wrong(place_in(file, key.source()) + ": " + name + " is a section: write [" +
                         name + "] and its keys below");
        }
        CHECK(apply_section(config, name, *table, file, places));
    }
    return {};
}

// Those of the section that `variable` names, or all.
std::string accepted_variables(std::string_view variable) {
    const std::string_view section = variable.substr(0, variable.find("__"));
    std::vector<std::string> all;
    std::vector<std::string> near;
    for (const ConfigKey& key : config_keys()) {
        std::string name = key.variable();
        if (name.starts_with(std::string(section) + "__")) near.push_back(name);
        all.push_back(std::move(name));
    }
    return join(near.empty() ? all : near);
}

// Variables without "__" are the command line's own (SATCHEL_ADMIN_URL) or none of ours.
Result<> apply_environment(Config& config, const Environment& environment, Places& places) {
    std::map<std::string, const ConfigKey*> known;
    for (const ConfigKey& key : config_keys()) known.emplace(key.variable(), &key);
    std::map<std::string_view, std::string> given;  // Secrets, by the variable that has them.
    for (const auto& [name, value] : environment) {
        if (!name.starts_with("SATCHEL_") || name.find("__") == std::string::npos) continue;
        const auto found = known.find(name);
        if (found == known.end()) {
            return wrong(name + ": no such setting; accepted: " + accepted_variables(name));
        }
        for (const std::string_view secret : secrets) {
            if (!found->second->name.starts_with(secret)) continue;
            const auto [other, is_first] = given.emplace(secret, name);
            if (!is_first) {
                return wrong(name + ": give " + other->second + " or " + name + ", not both");
            }
        }
        CHECK(apply(config, *found->second, {value, {}, {}}, name, places));
    }
    return {};
}

// Rules that no key can check alone. A key that was not set is named by itself.
class CrossCheck {
public:
    CrossCheck(const Config& config, const Places& places) : config_(config), places_(places) {}

    Result<> run() const {
        CHECK(check_present());
        CHECK(check_tls());
        CHECK(check_reach());
        CHECK(check_gateway());
        CHECK(check_edge());
        return check_public_url();
    }

private:
    std::string at(std::string_view key) const {
        const auto found = places_.find(key);
        if (found == places_.end()) return std::string(key);
        if (found->second.starts_with("SATCHEL_")) return found->second;
        return found->second + ": " + std::string(key);
    }

    Result<> check_present() const {
        const auto missing = [](std::string_view key, std::string_view example) {
            return wrong(std::string(key) + " is not set; set it in the file or as " +
                         find_key(key)->variable() + ", for example to " + std::string(example));
        };
        if (config_.metadata.sqlite.empty()) {
            return missing("metadata.sqlite", "/var/lib/satchel/satchel.db");
        }
        if (config_.blobs.local.empty()) return missing("blobs.local", "/var/lib/satchel/blobs");
        const auto& encryption = config_.encryption;
        if (encryption.master_key_file.empty() && encryption.master_key_command.empty()) {
            return missing("encryption.master_key_file", "/etc/satchel/master.key");
        }
        if (!encryption.master_key_file.empty() && !encryption.master_key_command.empty()) {
            return wrong(at("encryption.master_key_command") +
                         ": give encryption.master_key_file or "
                         "encryption.master_key_command, not both");
        }
        return {};
    }

    Result<> check_tls() const {
        const auto& server = config_.server;
        if (server.tls_cert.empty() == server.tls_key.empty()) return {};
        const bool has_cert = !server.tls_cert.empty();
        return wrong(at(has_cert ? "server.tls_cert" : "server.tls_key") + " needs " +
                     (has_cert ? "server.tls_key" : "server.tls_cert") + " beside it");
    }

    Result<> check_reach() const {
        const auto& server = config_.server;
        if (!server.listen.is_loopback() && !config_.has_tls() && !server.behind_tls_proxy) {
            return wrong(at("server.listen") + " = " + in_quotes(server.listen.text()) +
                         " can be reached from outside without TLS; set server.tls_cert and "
                         "server.tls_key, or server.behind_tls_proxy = true if a proxy does it");
        }
        if (!config_.admin.listen.is_loopback() && !server.behind_tls_proxy) {
            return wrong(at("admin.listen") + " = " + in_quotes(config_.admin.listen.text()) +
                         " can be reached from outside without TLS; use a loopback address, or "
                         "server.behind_tls_proxy = true if a proxy does TLS");
        }
        return {};
    }

    Result<> check_edge() const {
        const EdgeSettings& purge = config_.edge.purge;
        if (!purge.url.empty()) return {};
        for (const auto& [key, is_set] :
             {std::pair{std::string_view("edge.purge_token"), !purge.token.empty()},
              std::pair{std::string_view("edge.ca_file"), !config_.edge.ca_file.empty()}}) {
            if (is_set) return wrong(at(key) + " needs edge.purge_url, which it is for");
        }
        return {};
    }

    Result<> check_gateway() const {
        const auto& gateway = config_.gateway;
        if (gateway.kind == Config::GatewayKind::sandbox) {
            for (const auto& [key, value] :
                 {std::pair{std::string_view("gateway.url"), &gateway.url},
                  std::pair{std::string_view("gateway.secret"), &gateway.secret},
                  std::pair{std::string_view("gateway.ca_file"), &gateway.ca_file}}) {
                if (value->empty()) continue;
                return wrong(at(key) +
                             " is for a bridge, but messages go to the sandbox; set gateway.kind "
                             "= \"http\", or leave it out");
            }
            return {};
        }
        if (gateway.url.empty()) {
            return wrong(at("gateway.kind") +
                         " = \"http\" needs gateway.url, where the bridge takes messages");
        }
        if (gateway.secret.empty()) {
            return wrong(at("gateway.kind") +
                         " = \"http\" needs gateway.secret or gateway.secret_file, which the "
                         "bridge has, too");
        }
        return {};
    }

    Result<> check_public_url() const {
        const auto& server = config_.server;
        if (server.public_api_url.ends_with("/api/partner")) {
            return wrong(at("server.public_api_url") +
                         " must be given without /api/partner, which is added to it");
        }
        const auto scheme_end = server.public_api_url.find("://");
        const bool has_path = scheme_end != std::string::npos &&
                              server.public_api_url.find('/', scheme_end + 3) != std::string::npos;
        if (has_path && server.public_upload_url.empty()) {
            return wrong(at("server.public_api_url") +
                         " has a path, and uploads would be sent below it, which signatures do "
                         "not allow; set server.public_upload_url, without a path");
        }
        const bool is_local = server.listen.is_loopback() && !server.behind_tls_proxy;
        if (is_local || !server.public_api_url.empty() ||
            (!server.public_upload_url.empty() && !server.public_cdn_url.empty())) {
            return {};
        }
        return wrong(
            "server.public_api_url is not set; clients are sent to URLs below it, for "
            "example https://files.example.com");
    }

    const Config& config_;
    const Places& places_;
};

}  // namespace

std::string Endpoint::text() const {
    const bool is_v6 = address.find(':') != std::string::npos;
    return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

bool Endpoint::is_loopback() const {
    in6_addr six{};
    return address.starts_with("127.") ||
           (inet_pton(AF_INET6, address.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = parse_u64(text.substr(colon + 1));
    if (!port || *port > 65535) return std::nullopt;
    Endpoint endpoint{std::string(text.substr(0, colon)), static_cast<std::uint16_t>(*port)};
    std::string& address = endpoint.address;
    if (address == "localhost") address = "127.0.0.1";
    in_addr four{};
    if (inet_pton(AF_INET, address.c_str(), &four) == 1) return endpoint;
    if (address.size() < 4 || address.front() != '[' || address.back() != ']') return std::nullopt;
    address = address.substr(1, address.size() - 2);
    in6_addr six{};
    if (inet_pton(AF_INET6, address.c_str(), &six) != 1) return std::nullopt;
    return endpoint;
}

std::filesystem::path Config::data_folder() const {
    const auto folder = metadata.sqlite.parent_path();
    return folder.empty() ? std::filesystem::path(".") : folder;
}

Environment process_environment() {
    Environment all;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return all;
}

Result<Config> load_config(Config base,
                           const std::optional<std::filesystem::path>& file,
                           const Environment& environment) {
    Places places;
    if (file) CHECK(apply_file(base, *file, places));
    CHECK(apply_environment(base, environment, places));
    // A default gives way to what was set.
    if (places.contains("encryption.master_key_command") &&
        !places.contains("encryption.master_key_file")) {
        base.encryption.master_key_file.clear();
    }
    CHECK(CrossCheck(base, places).run());
    return base;
}

}  // namespace satchel::app
