#include "app/config_keys.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

namespace satchel::app {
namespace {

constexpr std::size_t token_characters_min = 16;
// As Standard Webhooks asks for.
constexpr std::size_t secret_bytes_min = 24;
constexpr std::size_t secret_bytes_max = 64;
constexpr std::uint64_t threads_max = 64;
constexpr std::uint64_t connections_limit = 1'000'000;
constexpr std::uint64_t scrub_rate_limit = 1'000'000;
constexpr std::uint64_t scrub_interval_limit = 366 * 24 * 3600;

bool is_visible_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

bool set_boolean(bool& target, std::string_view text) {
    if (text != "true" && text != "false") return false;
    target = text == "true";
    return true;
}

template <class Int>
bool set_number(Int& target, std::string_view text, std::uint64_t min, std::uint64_t max) {
    const auto number = parse_u64(text);
    if (!number || *number < min || *number > max) return false;
    target = static_cast<Int>(*number);
    return true;
}

bool set_endpoint(Endpoint& target, std::string_view text) {
    const auto endpoint = parse_endpoint(text);
    if (!endpoint) return false;
    target = *endpoint;
    return true;
}

bool set_path(std::filesystem::path& target, const RawValue& value) {
    if (value.text.empty() || value.text.find('\0') != std::string::npos) return false;
    target = (value.folder / value.text).lexically_normal();
    return true;
}

// A list is run as it is, a line by the shell.
bool set_command(std::vector<std::string>& target, const RawValue& value) {
    const auto has_null = [](const std::string& word) {
        return word.find('\0') != std::string::npos;
    };
    if (!value.words.empty()) {
        if (value.words.size() > limits::key_command_words_max || value.words.front().empty() ||
            std::ranges::any_of(value.words, has_null)) {
            return false;
        }
        target = value.words;
        return true;
    }
    if (value.text.find_first_not_of(" \t") == std::string::npos || has_null(value.text)) {
        return false;
    }
    target = {"/bin/sh", "-c", value.text};
    return true;
}

bool set_file(std::string& target, const RawValue& value) {
    std::filesystem::path path;
    if (!set_path(path, value)) return false;
    target = path.string();
    return true;
}

enum class UrlPath : bool { refused, allowed };

bool set_url(std::string& target, std::string_view text, UrlPath path) {
    while (text.ends_with('/')) text.remove_suffix(1);
    const auto scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos) return false;
    const auto scheme = text.substr(0, scheme_end);
    const auto rest = text.substr(scheme_end + 3);
    const auto host = rest.substr(0, rest.find('/'));
    if ((scheme != "http" && scheme != "https") || host.empty()) return false;
    if (!is_visible_ascii(text) || text.find_first_of("?#@\"<>\\") != std::string_view::npos) {
        return false;
    }
    if (path == UrlPath::refused && host.size() != rest.size()) return false;
    target = text;
    return true;
}

bool set_origin(std::string& target, std::string_view text) {
    if (text.empty() || text == "*") {
        target = text;
        return true;
    }
    return set_url(target, text, UrlPath::refused);
}

bool set_clamd(std::optional<ClamdPlace>& target, std::string_view text) {
    target.reset();
    if (text.empty()) return true;
    if (text.starts_with('/')) {
        target = ClamdPlace{std::string(text), {}};
        return text.find('\0') == std::string_view::npos;
    }
    const auto address = parse_endpoint(text);
    if (address) target = ClamdPlace{{}, *address};
    return address.has_value();
}

bool set_without_clamd(WithoutScanner& target, std::string_view text) {
    if (text != "refuse" && text != "accept") return false;
    target = text == "accept" ? WithoutScanner::accept : WithoutScanner::refuse;
    return true;
}

bool set_token(std::string& target, std::string_view text) {
    if (text.size() < token_characters_min || !is_visible_ascii(text)) return false;
    target = text;
    return true;
}

bool set_secret(std::string& target, std::string_view text) {
    static constexpr std::string_view prefix = "whsec_";
    if (!text.starts_with(prefix)) return false;
    const auto key = from_base64(text.substr(prefix.size()));
    if (!key || key->size() < secret_bytes_min || key->size() > secret_bytes_max) return false;
    target = text;
    return true;
}

using SetText = bool (*)(std::string&, std::string_view);

bool set_from_file(std::string& target, const RawValue& value, SetText set) {
    std::filesystem::path path;
    if (!set_path(path, value)) return false;
    std::ifstream file(path, std::ios::binary);
    if (!file) return false;
    std::string text{std::istreambuf_iterator<char>(file), {}};
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return set(target, text);
}

bool set_gateway_kind(Config::GatewayKind& target, std::string_view text) {
    if (text != "sandbox" && text != "http") return false;
    target = text == "http" ? Config::GatewayKind::http : Config::GatewayKind::sandbox;
    return true;
}

bool set_purge_method(PurgeMethod& target, std::string_view text) {
    if (text != "POST" && text != "PURGE") return false;
    target = text == "POST" ? PurgeMethod::post : PurgeMethod::purge;
    return true;
}

bool set_media_retention(bool& target, std::string_view text) {
    if (text != "keep" && text != "with_message") return false;
    target = text == "with_message";
    return true;
}

bool set_days(std::uint32_t& target, std::string_view text) {
    return set_number(target, text, 0, limits::retention_days_max);
}

bool set_level(log::Level& target, std::string_view text) {
    using enum log::Level;
    static constexpr std::array levels{
        std::pair{std::string_view("debug"), debug}, std::pair{std::string_view("info"), info},
        std::pair{std::string_view("warn"), warn}, std::pair{std::string_view("error"), error},
        std::pair{std::string_view("off"), off}};
    for (const auto& [name, level] : levels) {
        if (name == text) {
            target = level;
            return true;
        }
    }
    return false;
}

constexpr std::string_view endpoint_form = "ADDRESS:PORT, for example 127.0.0.1:8780 or [::1]:8780";
constexpr std::string_view file_form = "the path of a PEM file";
constexpr std::string_view path_form = "a path";
constexpr std::string_view url_form = "a URL such as https://files.example.com";
constexpr std::string_view host_url_form =
    "a URL without a path, such as https://files.example.com (signatures cover the path)";
constexpr std::string_view secret_form = "whsec_ and the base64 of 24 to 64 bytes";
constexpr std::string_view days_form = "a number of days from 0 (keep) to 36500";
constexpr std::string_view boolean_form = "true or false";
constexpr std::string_view quota_form = "a number from 0 (no limit) to 1000000000000000";
constexpr std::string_view rate_form = "a number from 0 (no limit) to 1000000";

using enum KeyKind;

constexpr std::array key_table{
    ConfigKey{"server.listen", text, endpoint_form, false,
              [](Config& c, const RawValue& v) { return set_endpoint(c.server.listen, v.text); }},
    ConfigKey{"server.tls_cert", text, file_form, false,
              [](Config& c, const RawValue& v) { return set_file(c.server.tls_cert, v); }},
    ConfigKey{"server.tls_key", text, file_form, false,
              [](Config& c, const RawValue& v) { return set_file(c.server.tls_key, v); }},
    ConfigKey{"server.public_api_url", text, url_form, false,
              [](Config& c, const RawValue& v) {
                  return set_url(c.server.public_api_url, v.text, UrlPath::allowed);
              }},
    ConfigKey{"server.public_upload_url", text, host_url_form, false,
              [](Config& c, const RawValue& v) {
                  return set_url(c.server.public_upload_url, v.text, UrlPath::refused);
              }},
    ConfigKey{"server.public_cdn_url", text, url_form, false,
              [](Config& c, const RawValue& v) {
                  return set_url(c.server.public_cdn_url, v.text, UrlPath::allowed);
              }},
    ConfigKey{"server.behind_tls_proxy", boolean, boolean_form, false,
              [](Config& c, const RawValue& v) {
                  return set_boolean(c.server.behind_tls_proxy, v.text);
              }},
    ConfigKey{
        "server.cors_origin", text, "\"*\", one origin such as https://app.example.com, or empty",
        false,
        [](Config& c, const RawValue& v) { return set_origin(c.server.cors_origin, v.text); }},
    ConfigKey{"server.requests_per_minute", number, rate_form, false,
              [](Config& c, const RawValue& v) {
                  return set_number(c.server.call_rates.requests, v.text, 0, rate_max);
              }},
    ConfigKey{"server.creates_per_minute", number, rate_form, false,
              [](Config& c, const RawValue& v) {
                  return set_number(c.server.call_rates.creates, v.text, 0, rate_max);
              }},
    ConfigKey{"server.sends_per_minute", number, rate_form, false,
              [](Config& c, const RawValue& v) {
                  return set_number(c.server.call_rates.sends, v.text, 0, rate_max);
              }},
    ConfigKey{"server.connections_max", number, "a number from 1 to 1000000", false,
              [](Config& c, const RawValue& v) {
                  return set_number(c.server.connections_max, v.text, 1, connections_limit);
              }},
    ConfigKey{"server.threads", number, "a number from 0 (one a core) to 64", false,
              [](Config& c, const RawValue& v) {
                  return set_number(c.server.threads, v.text, 0, threads_max);
              }},
    ConfigKey{"server.messages_per_minute", number,
              "a number from 0 (no limit) to 1000000: from one line to one recipient", false,
              [](Config& c, const RawValue& v) {
                  return set_number(c.server.messages_per_minute, v.text, 0, connections_limit);
              }},
    ConfigKey{"admin.listen", text, endpoint_form, false,
              [](Config& c, const RawValue& v) { return set_endpoint(c.admin.listen, v.text); }},
    ConfigKey{"admin.token", text, "at least 16 visible ASCII characters", true,
              [](Config& c, const RawValue& v) { return set_token(c.admin.token, v.text); }},
    ConfigKey{
        "admin.token_file", text,
        "the path of a readable file with at least 16 visible ASCII characters", false,
        [](Config& c, const RawValue& v) { return set_from_file(c.admin.token, v, set_token); }},
    ConfigKey{"metadata.sqlite", text, path_form, false,
              [](Config& c, const RawValue& v) { return set_path(c.metadata.sqlite, v); }},
    ConfigKey{"blobs.local", text, path_form, false,
              [](Config& c, const RawValue& v) { return set_path(c.blobs.local, v); }},
    ConfigKey{
        "encryption.master_key_file", text, path_form, false,
        [](Config& c, const RawValue& v) { return set_path(c.encryption.master_key_file, v); }},
    ConfigKey{"encryption.master_key_command", command,
              "a command line, or a list of a program and its arguments", false,
              [](Config& c, const RawValue& v) {
                  return set_command(c.encryption.master_key_command, v);
              }},
    ConfigKey{"media.accept_webp_and_svg", boolean, boolean_form, false,
              [](Config& c, const RawValue& v) {
                  return set_boolean(c.media.accept_webp_and_svg, v.text);
              }},
    ConfigKey{"media.accept_former_types", boolean, boolean_form, false,
              [](Config& c, const RawValue& v) {
                  return set_boolean(c.media.accept_former_types, v.text);
              }},
    ConfigKey{"media.transcode", boolean, boolean_form, false,
              [](Config& c, const RawValue& v) {
                  return set_boolean(c.media.delivery.transcode, v.text);
              }},
    ConfigKey{"media.heic_to_jpeg", boolean, boolean_form, false,
              [](Config& c, const RawValue& v) {
                  return set_boolean(c.media.delivery.heic_to_jpeg, v.text);
              }},
    ConfigKey{"media.strip_metadata", boolean, boolean_form, false,
              [](Config& c, const RawValue& v) {
                  return set_boolean(c.media.delivery.strip_metadata, v.text);
              }},
    ConfigKey{"media.previews", boolean, boolean_form, false,
              [](Config& c, const RawValue& v) { return set_boolean(c.media.previews, v.text); }},
    ConfigKey{"media.program", text, path_form, false,
              [](Config& c, const RawValue& v) { return set_path(c.media.program, v); }},
    ConfigKey{"media.clamd", text,
              "the path of a Unix socket, ADDRESS:PORT such as 127.0.0.1:3310, or empty", false,
              [](Config& c, const RawValue& v) { return set_clamd(c.media.clamd, v.text); }},
    ConfigKey{"media.without_clamd", text, "refuse or accept", false,
              [](Config& c, const RawValue& v) {
                  return set_without_clamd(c.media.without_clamd, v.text);
              }},
    ConfigKey{"quota.bytes", number, quota_form, false,
              [](Config& c, const RawValue& v) {
                  return set_number(c.quota.bytes, v.text, 0, quota_max);
              }},
    ConfigKey{"quota.files", number, quota_form, false,
              [](Config& c, const RawValue& v) {
                  return set_number(c.quota.files, v.text, 0, quota_max);
              }},
    ConfigKey{"quota.pending", number, quota_form, false,
              [](Config& c, const RawValue& v) {
                  return set_number(c.quota.pending, v.text, 0, quota_max);
              }},
    ConfigKey{"fetch.allow_http", boolean, boolean_form, false,
              [](Config& c, const RawValue& v) { return set_boolean(c.fetch.allow_http, v.text); }},
    ConfigKey{"fetch.allow_private_addresses", boolean, boolean_form, false,
              [](Config& c, const RawValue& v) {
                  return set_boolean(c.fetch.allow_private_addresses, v.text);
              }},
    ConfigKey{"fetch.ca_file", text, file_form, false,
              [](Config& c, const RawValue& v) { return set_file(c.fetch.ca_file, v); }},
    ConfigKey{
        "gateway.kind", text, "sandbox or http", false,
        [](Config& c, const RawValue& v) { return set_gateway_kind(c.gateway.kind, v.text); }},
    ConfigKey{"gateway.url", text, "a URL such as https://bridge.example.com/messages", false,
              [](Config& c, const RawValue& v) {
                  return set_url(c.gateway.url, v.text, UrlPath::allowed);
              }},
    ConfigKey{"gateway.secret", text, secret_form, true,
              [](Config& c, const RawValue& v) { return set_secret(c.gateway.secret, v.text); }},
    ConfigKey{"gateway.secret_file", text,
              "the path of a readable file with whsec_ and the base64 of 24 to 64 bytes", false,
              [](Config& c, const RawValue& v) {
                  return set_from_file(c.gateway.secret, v, set_secret);
              }},
    ConfigKey{"gateway.ca_file", text, file_form, false,
              [](Config& c, const RawValue& v) { return set_file(c.gateway.ca_file, v); }},
    ConfigKey{"integrity.scrub_mib_per_second", KeyKind::number, "a number from 0 to 1000000",
              false,
              [](Config& c, const RawValue& v) {
                  return set_number(c.integrity.scrub_mib_per_second, v.text, 0, scrub_rate_limit);
              }},
    ConfigKey{
        "integrity.scrub_interval_seconds", KeyKind::number, "a number from 1 to 31622400", false,
        [](Config& c, const RawValue& v) {
            return set_number(c.integrity.scrub_interval_seconds, v.text, 1, scrub_interval_limit);
        }},
    ConfigKey{"edge.cache_seconds", number, "a number from 0 to 86400", false,
              [](Config& c, const RawValue& v) {
                  return set_number(c.edge.cache_seconds, v.text, 0,
                                    limits::edge_cache_seconds_max);
              }},
    ConfigKey{"edge.purge_url", text, "a URL such as https://edge.example.com/purge", false,
              [](Config& c, const RawValue& v) {
                  return set_url(c.edge.purge.url, v.text, UrlPath::allowed);
              }},
    ConfigKey{
        "edge.purge_method", text, "POST or PURGE", false,
        [](Config& c, const RawValue& v) { return set_purge_method(c.edge.purge.method, v.text); }},
    ConfigKey{"edge.purge_token", text, "at least 16 visible ASCII characters", true,
              [](Config& c, const RawValue& v) { return set_token(c.edge.purge.token, v.text); }},
    ConfigKey{"edge.purge_token_file", text,
              "the path of a readable file with at least 16 visible ASCII characters", false,
              [](Config& c, const RawValue& v) {
                  return set_from_file(c.edge.purge.token, v, set_token);
              }},
    ConfigKey{"edge.ca_file", text, file_form, false,
              [](Config& c, const RawValue& v) { return set_file(c.edge.ca_file, v); }},
    ConfigKey{
        "retention.messages_days", number, days_form, false,
        [](Config& c, const RawValue& v) { return set_days(c.retention.messages_days, v.text); }},
    ConfigKey{"retention.media", text, "keep or with_message", false,
              [](Config& c, const RawValue& v) {
                  return set_media_retention(c.retention.removes_media, v.text);
              }},
    ConfigKey{
        "retention.audit_days", number, days_form, false,
        [](Config& c, const RawValue& v) { return set_days(c.retention.audit_days, v.text); }},
    ConfigKey{"retention.idempotency_key_days", number, days_form, false,
              [](Config& c, const RawValue& v) {
                  return set_days(c.retention.idempotency_key_days, v.text);
              }},
    ConfigKey{"log.level", text, "debug, info, warn, error or off", false,
              [](Config& c, const RawValue& v) { return set_level(c.log.level, v.text); }},
};

}  // namespace

std::string ConfigKey::variable() const {
    std::string variable = "SATCHEL_";
    for (const char c : name) {
        if (c == '.') {
            variable += "__";
        } else {
            variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
    }
    return variable;
}

std::span<const ConfigKey> config_keys() {
    return key_table;
}

const ConfigKey* find_key(std::string_view name) {
    const auto found = std::ranges::find(key_table, name, &ConfigKey::name);
    return found == key_table.end() ? nullptr : &*found;
}

}  // namespace satchel::app
