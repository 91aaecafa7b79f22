#include "crypto/webhook_signature.hpp"

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "crypto/hmac.hpp"
#include "crypto/key.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

namespace satchel::crypto {
namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr std::string_view scheme = "v1,";

}  // namespace

std::string new_webhook_secret() {
    std::array<std::byte, 32> random{};
    fill_random(random);
    std::string secret = std::string(secret_prefix) + to_base64(random);
    OPENSSL_cleanse(random.data(), random.size());
    return secret;
}

Result<std::string> standard_webhook_signature(std::string_view secret,
                                               const WebhookMessage& message) {
    if (!secret.starts_with(secret_prefix)) {
        return fail(Errc::invalid_argument, "a webhook secret does not begin with whsec_");
    }
    auto key = from_base64(secret.substr(secret_prefix.size()));
    if (!key || key->empty()) {
        return fail(Errc::invalid_argument, "a webhook secret is not base64");
    }
    const std::string seconds = std::to_string(message.unix_seconds);
    const auto mac =
        hmac_sha256_parts(*key, {as_bytes(message.id), as_bytes("."), as_bytes(seconds),
                                 as_bytes("."), as_bytes(message.body)});
    OPENSSL_cleanse(key->data(), key->size());
    return std::string(scheme) + to_base64(mac);
}

std::string legacy_webhook_signature(std::string_view secret, const WebhookMessage& message) {
    const std::string seconds = std::to_string(message.unix_seconds);
    return to_hex(hmac_sha256_parts(as_bytes(secret),
                                    {as_bytes(seconds), as_bytes("."), as_bytes(message.body)}));
}

bool verify_standard_webhook(std::string_view secret,
                             const WebhookMessage& message,
                             std::string_view header) {
    const auto expected = standard_webhook_signature(secret, message);
    if (!expected) return false;
    while (!header.empty()) {
        const std::string_view one = header.substr(0, header.find(' '));
        header.remove_prefix(std::min(header.size(), one.size() + 1));
        if (equal_constant_time(as_bytes(one), as_bytes(*expected))) return true;
    }
    return false;
}

}  // namespace satchel::crypto
