#include "app/server_settings.hpp"

#include <algorithm>
#include <thread>

namespace satchel::app {
namespace {

std::string url_of(const Config& config, std::uint16_t port) {
    return (config.has_tls() ? "https://" : "http://") +
           Endpoint{config.server.listen.address, port}.text();
}

}  // namespace

unsigned thread_count(const Config& config) {
    if (config.server.threads > 0) return config.server.threads;
    return std::max(1U, std::thread::hardware_concurrency());
}

PublicUrls public_urls(const Config& config, std::uint16_t port) {
    const auto& server = config.server;
    PublicUrls urls;
    urls.api = server.public_api_url.empty() ? url_of(config, port) : server.public_api_url;
    urls.upload = server.public_upload_url.empty() ? urls.api : server.public_upload_url;
    urls.cdn = server.public_cdn_url.empty() ? urls.api : server.public_cdn_url;
    return urls;
}

fetch::Policy fetch_policy(const Config& config) {
    fetch::Policy policy;
    policy.allow_http = config.fetch.allow_http;
    policy.allow_private_addresses = config.fetch.allow_private_addresses;
    policy.ca_file = config.fetch.ca_file;
    return policy;
}

fetch::Policy bridge_policy(const Config& config) {
    fetch::Policy policy;
    policy.allow_http = true;
    policy.allow_private_addresses = true;
    policy.ca_file = config.gateway.ca_file;
    policy.redirects_max = 0;
    return policy;
}

fetch::Policy edge_policy(const Config& config) {
    fetch::Policy policy = bridge_policy(config);
    policy.ca_file = config.edge.ca_file;
    return policy;
}

RetentionSettings retention_settings(const Config& config) {
    using std::chrono::days;
    const auto& retention = config.retention;
    return {.messages = days(retention.messages_days),
            .audit = days(retention.audit_days),
            .idempotency_keys = days(retention.idempotency_key_days),
            .removes_media = retention.removes_media,
            .tells_edge = !config.edge.purge.url.empty()};
}

}  // namespace satchel::app
