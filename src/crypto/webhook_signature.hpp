// Signatures of webhook requests: Standard Webhooks and the older X-Webhook-* scheme.
// Contract section 5.3.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace satchel::crypto {

// "whsec_" and the base64 of 32 random bytes.
std::string new_webhook_secret();

struct WebhookMessage {
    std::string_view id;
    std::int64_t unix_seconds = 0;
    std::string_view body;
};

// The value of webhook-signature: "v1," and base64 of HMAC-SHA256 over "{id}.{seconds}.{body}",
// keyed with the bytes behind "whsec_". Errc::invalid_argument if `secret` is not of that form.
Result<std::string> standard_webhook_signature(std::string_view secret,
                                               const WebhookMessage& message);

// The value of X-Webhook-Signature: lower-case hex of HMAC-SHA256 over "{seconds}.{body}", keyed
// with the text of the secret, "whsec_" included. The id is not covered.
std::string legacy_webhook_signature(std::string_view secret, const WebhookMessage& message);

// Whether one of the blank-separated signatures in `header` is right for `message`. The caller
// compares the time with its own.
bool verify_standard_webhook(std::string_view secret,
                             const WebhookMessage& message,
                             std::string_view header);

}  // namespace satchel::crypto
