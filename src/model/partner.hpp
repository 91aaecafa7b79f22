// Partners, their API keys and their lines.
#pragma once

#include "base/clock.hpp"
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
};

// Who is calling: the partner behind a valid API key.
struct Caller {
    PartnerId partner;
    ApiKeyId key;
    OwnRates rates = {};
};

}  // namespace satchel
