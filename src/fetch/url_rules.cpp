#include "fetch/url_rules.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <new>

namespace satchel::fetch {
namespace {

// Nothing is guessed or repaired: what is not an absolute URL of a known scheme is refused.
constexpr unsigned parse_flags = CURLU_DISALLOW_USER;

std::unexpected<Error> refuse(std::string why) {
    return fail(Errc::invalid_argument, std::move(why));
}

// Empty if the URL has no such part.
std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
    char* text = nullptr;
    if (libcurl().url_get(url, part, &text, flags) != CURLUE_OK) return {};
    const CurlText owned(text);
    return text;
}

bool has_part(CURLU* url, CURLUPart part) {
    char* text = nullptr;
    const CURLUcode code = libcurl().url_get(url, part, &text, 0);
    const CurlText owned(text);
    return code == CURLUE_OK;
}

// Whether reading `text` again changes nothing. "https://%30.1/" turns into "https://0.1/" and
// that into "https://0.0.0.1/".
bool is_normal(const std::string& text) {
    const UrlHandle handle(libcurl().url());
    if (!handle) throw std::bad_alloc();
    return libcurl().url_set(handle.get(), CURLUPART_URL, text.c_str(), parse_flags) == CURLUE_OK &&
           part_of(handle.get(), CURLUPART_URL) == text;
}

bool is_localhost(std::string_view host) {
    return host == "localhost" || host.ends_with(".localhost");
}

AddressRule rule_of(const Policy& policy, AddressRule given) {
    if (given) return given;
    return policy.allow_private_addresses ? global_and_local() : global_only();
}

}  // namespace

UrlRules::UrlRules(Policy policy, AddressRule address_rule)
    : policy_(std::move(policy)), address_rule_(rule_of(policy_, std::move(address_rule))) {}

Result<CheckedUrl> UrlRules::check(std::string_view url) const {
    if (url.size() > limits::outbound_url_bytes_max) return refuse("the URL is too long");
    const std::string terminated(url);
    if (terminated.find('\0') != std::string::npos) return refuse("the URL holds a zero byte");
    UrlHandle handle(libcurl().url());
    if (!handle) throw std::bad_alloc();
    const CURLUcode code =
        libcurl().url_set(handle.get(), CURLUPART_URL, terminated.c_str(), parse_flags);
    if (code != CURLUE_OK) return refuse(libcurl().url_strerror(code));
    return judge(std::move(handle));
}

Result<CheckedUrl> UrlRules::check_redirect(const CheckedUrl& base,
                                            std::string_view location) const {
    if (location.size() > limits::outbound_url_bytes_max) return refuse("the URL is too long");
    UrlHandle handle(libcurl().url_dup(base.handle()));
    if (!handle) throw std::bad_alloc();
    const CURLUcode code =
        libcurl().url_set(handle.get(), CURLUPART_URL, std::string(location).c_str(), parse_flags);
    if (code != CURLUE_OK) return refuse(libcurl().url_strerror(code));
    return judge(std::move(handle));
}

Result<CheckedUrl> UrlRules::judge(UrlHandle handle) const {
    CURLU* const url = handle.get();
    const std::string scheme = part_of(url, CURLUPART_SCHEME);
    if (scheme != "https" && !(scheme == "http" && policy_.allow_http)) {
        return refuse("the scheme is not allowed");
    }
    if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD) ||
        has_part(url, CURLUPART_OPTIONS)) {
        return refuse("credentials are not allowed");
    }
    if (has_part(url, CURLUPART_ZONEID)) return refuse("an address with a zone is not allowed");
    if (!allows_port(part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT), scheme)) {
        return refuse("the port is not allowed");
    }
    CHECK(judge_host(part_of(url, CURLUPART_HOST)));
    libcurl().url_set(url, CURLUPART_FRAGMENT, nullptr, 0);
    std::string text = part_of(url, CURLUPART_URL);
    if (text.empty() || text.size() > limits::outbound_url_bytes_max) {
        return refuse("the URL is too long");
    }
    if (!is_normal(text)) return refuse("the URL can be read in two ways");
    return CheckedUrl(std::move(handle), std::move(text));
}

Result<> UrlRules::judge_host(std::string host) const {
    std::ranges::transform(host, host.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (host.ends_with('.')) host.pop_back();
    if (host.empty()) return refuse("the URL has no host");
    std::string_view literal = host;
    if (literal.starts_with('[') && literal.ends_with(']')) {
        literal = literal.substr(1, literal.size() - 2);
    }
    // The library knows this name without asking anyone.
    if (is_localhost(literal)) literal = "127.0.0.1";
    const auto address = Address::parse(literal);
    if (address && !allows(*address)) {
        return refuse("the address is not allowed: " + std::string(block_of(*address).name));
    }
    return {};
}

bool UrlRules::allows_port(std::string_view port, std::string_view scheme) const {
    const auto number = parse_u64(port);
    if (!number || *number == 0 || *number > 65535) return false;
    if (!policy_.ports.empty()) {
        return std::ranges::find(policy_.ports, static_cast<std::uint16_t>(*number)) !=
               policy_.ports.end();
    }
    return policy_.allow_private_addresses || *number == (scheme == "https" ? 443 : 80);
}

}  // namespace satchel::fetch
