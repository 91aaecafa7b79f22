// Hands messages to the operator's carrier bridge: a signed POST for each attempt, with the
// message's id as webhook-id, so that the bridge tells a repetition. What becomes of a message
// the bridge says in its answer or reports later. Protocol: docs/api/gateway.md.
#pragma once

#include "base/clock.hpp"
#include "fetch/fetch.hpp"
#include "gateway/gateway.hpp"

#include <string>

namespace satchel::gateway {

class HttpGateway : public Gateway {
public:
    struct Parts {
        // Opens what the operator named, wherever that is.
        fetch::Fetcher& fetcher;
        const Clock& clock;
        std::string url;
        std::string secret;  // whsec_...
    };
    explicit HttpGateway(Parts parts) : parts_(std::move(parts)) {}

    // Errc::unavailable without an answer, and for any answer but 2xx and 4xx, 408 and 429.
    // Other 4xx are a failure for good.
    Async<Outcome> submit(const Chat& chat, const Message& message) override;
    bool fetches_media() const override { return true; }
    bool delivers_between_lines() const override { return false; }

private:
    Parts parts_;
};

}  // namespace satchel::gateway
