#include "app/part_settings.hpp"

namespace satchel::app {
namespace {

std::string url_of(const Config& config, std::uint16_t port) {
    return (config.has_tls() ? "https://" : "http://") +
           Endpoint{config.server.listen.address, port}.text();
}

}  // namespace

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

// The operator named the bridge, so it may be anywhere that is not refused to everybody. It has no
// reason to send us elsewhere.
fetch::Policy bridge_policy(const Config& config) {
    fetch::Policy policy;
    policy.allow_http = true;
    policy.allow_private_addresses = true;
    policy.ca_file = config.gateway.ca_file;
    policy.redirects_max = 0;
    return policy;
}

}  // namespace satchel::app
