#include "base/result.hpp"
#include "fetch/url_rules.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using satchel::fetch::Address;
using satchel::fetch::CheckedUrl;
using satchel::fetch::UrlRules;

namespace {

std::string part_of(CURLU* url, CURLUPart part) {
    char* text = nullptr;
    if (satchel::fetch::libcurl().url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return {};
    const satchel::fetch::CurlText owned(text);
    return text;
}

// Whatever got through: encrypted, to the usual port, nobody's credentials, no special address,
// and its normal form is its own normal form.
void hold_to_the_rules(const UrlRules& rules, const CheckedUrl& url) {
    ASSERT(url.text().starts_with("https://"));
    ASSERT(part_of(url.handle(), CURLUPART_PORT) == "443");
    ASSERT(part_of(url.handle(), CURLUPART_USER).empty());
    ASSERT(part_of(url.handle(), CURLUPART_PASSWORD).empty());
    ASSERT(part_of(url.handle(), CURLUPART_FRAGMENT).empty());
    std::string host = part_of(url.handle(), CURLUPART_HOST);
    ASSERT(!host.empty() && host != "localhost");
    if (host.front() == '[') host = host.substr(1, host.size() - 2);
    if (const auto address = Address::parse(host)) ASSERT(rules.allows(*address));
    for (const char c : url.text()) ASSERT(static_cast<unsigned char>(c) > ' ');
    const auto again = rules.check(url.text());
    ASSERT(again.has_value());
    ASSERT(again->text() == url.text());
}

}  // namespace

// The input is a URL, and the target of a redirect from a harmless one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
    static const UrlRules rules{satchel::fetch::Policy{}};
    static const CheckedUrl base = rules.check("https://example.com/a/b?c").value();
    const std::string_view text(reinterpret_cast<const char*>(data), length);
    if (const auto url = rules.check(text)) hold_to_the_rules(rules, *url);
    if (const auto url = rules.check_redirect(base, text)) hold_to_the_rules(rules, *url);
    return 0;
}
