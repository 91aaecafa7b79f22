// Partners, their API keys and their lines.
#pragma once

#include "base/clock.hpp"
#include "model/attachment.hpp"
#include "model/ids.hpp"
#include "model/quota.hpp"

#include <optional>
#include <string>

namespace satchel {

struct Partner {
    PartnerId id;
    std::string name;
    Time created_at{};
    std::optional<Time> disabled_at;
    Tier tier = Tier::persistent;
};

// The key itself is shown once and never stored.
struct ApiKey {
    ApiKeyId id;
    PartnerId partner;
    std::string hint;  // The last four characters, so that people can tell keys apart.
    Time created_at{};
    std::optional<Time> revoked_at;
};

struct Line {
    std::string number;  // E.164
    PartnerId partner;
    Time created_at{};
    Tier tier = Tier::persistent;
    Tier message_tier = Tier::persistent;
};

// What the operator has set for a line, at one moment. It decides over what is made from then on
// and changes nothing that exists (contract section 7.1).
struct LineTiers {
    Tier partner = Tier::persistent;
    Tier line = Tier::persistent;
    Tier messages = Tier::persistent;

    // Of media that comes to be with a message. Partner-wide beats per line.
    Tier media() const { return partner == Tier::ephemeral ? partner : line; }
};

// Who is calling: the partner behind a valid API key.
struct Caller {
    PartnerId partner;
    ApiKeyId key;
    OwnRates rates = {};
};

}  // namespace satchel
