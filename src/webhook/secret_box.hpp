// Signing secrets as they are stored: they are needed in clear to sign, so they are kept sealed
// under a key of their own that hangs from the master key. Format: docs/formats/webhooks.md.
#pragma once

#include "crypto/key_ring.hpp"
#include "model/webhook_subscription.hpp"

#include <string>
#include <string_view>

namespace satchel::webhook {

// Immutable; usable from every thread.
class SecretBox {
public:
    explicit SecretBox(const crypto::KeyRing& keys) : key_(keys.secret("webhook-secrets-v1")) {}

    Bytes seal(SubscriptionId subscription, std::string_view secret) const {
        return crypto::seal_once(key_of(subscription), subscription.bytes(), as_bytes(secret));
    }
    // Errc::corrupt if it was changed or belongs to another subscription or master key.
    Result<std::string> open(SubscriptionId subscription, ByteView sealed) const {
        TRY(const Bytes secret,
            crypto::open_once(key_of(subscription), subscription.bytes(), sealed));
        return std::string(as_text(secret));
    }

private:
    // A subscription has one secret for life: its key seals one message.
    crypto::Key key_of(SubscriptionId subscription) const {
        return crypto::derive(key_, "satchel webhook secret v1", subscription.bytes());
    }
    crypto::Key key_;
};

}  // namespace satchel::webhook
