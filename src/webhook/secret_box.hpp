// Signing secrets as they are stored: they are needed in clear to sign, so they are kept sealed
// under a key of their own that hangs from the database's. Format: docs/formats/webhooks.md.
#pragma once

#include "crypto/key_ring.hpp"
#include "model/webhook_subscription.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace satchel::webhook {

// Immutable; usable from every thread.
class SecretBox {
public:
    static constexpr std::string_view purpose = "webhook-secrets-v1";

    // `key`: the database's secret for `purpose`. `former`: keys that only open.
    explicit SecretBox(const crypto::Key& key, std::vector<crypto::Key> former = {})
        : key_(key), former_(std::move(former)) {}

    Bytes seal(SubscriptionId subscription, std::string_view secret) const {
        return crypto::seal_once(key_of(key_, subscription), subscription.bytes(),
                                 as_bytes(secret));
    }
    // Errc::corrupt if it was changed or belongs to another subscription or database.
    Result<std::string> open(SubscriptionId subscription, ByteView sealed) const {
        auto secret = open_with(key_, subscription, sealed);
        for (const crypto::Key& key : former_) {
            if (secret) break;
            secret = open_with(key, subscription, sealed);
        }
        return secret;
    }
    // What a former key sealed, sealed under the present one; nullopt if it is, or cannot be
    // opened.
    std::optional<Bytes> renewed(SubscriptionId subscription, ByteView sealed) const {
        if (open_with(key_, subscription, sealed)) return std::nullopt;
        const auto secret = open(subscription, sealed);
        if (!secret) return std::nullopt;
        return seal(subscription, *secret);
    }

private:
    // A subscription has one secret for life: its key seals one message.
    static crypto::Key key_of(const crypto::Key& key, SubscriptionId subscription) {
        return crypto::derive(key, "satchel webhook secret v1", subscription.bytes());
    }
    static Result<std::string> open_with(const crypto::Key& key,
                                         SubscriptionId subscription,
                                         ByteView sealed) {
        TRY(const Bytes secret,
            crypto::open_once(key_of(key, subscription), subscription.bytes(), sealed));
        return std::string(as_text(secret));
    }

    crypto::Key key_;
    std::vector<crypto::Key> former_;
};

}  // namespace satchel::webhook
