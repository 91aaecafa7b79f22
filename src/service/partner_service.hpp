// Partners, API keys and lines. Usable from every loop at once.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "meta/database.hpp"
#include "meta/usage.hpp"
#include "model/partner.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace satchel {

struct NewApiKey {
    ApiKey key;
    std::string secret;  // Shown once; only its hash is stored.
};

struct NewPartner {
    Partner partner;
    NewApiKey first_key;
};

// Keys that were found live lately, so that most requests need no look-up. Thread-safe.
class LiveKeys {
public:
    using Hash = std::array<std::byte, 32>;

    std::optional<Caller> find(const Hash& hash) const;
    // What was read from the database while generation() was `generation`; dropped if
    // forget_all() came in between.
    void remember(const Hash& hash, const Caller& caller, std::uint64_t generation);
    std::uint64_t generation() const;
    void forget_all();

private:
    struct HashOfHash {
        std::size_t operator()(const Hash& hash) const;
    };
    mutable std::shared_mutex mutex_;
    std::unordered_map<Hash, Caller, HashOfHash> callers_;
    std::uint64_t generation_ = 0;
};

class PartnerService {
public:
    PartnerService(meta::Database& database, const Clock& clock)
        : database_(database), clock_(clock) {}

    // reasons::unauthorized unless `token` is a live key of an enabled partner. A key stops
    // working before revoke_key() or disable_partner() returns.
    Async<Caller> authenticate(std::string_view token);

    // Errors: reasons::invalid_parameter for an empty, overlong or taken name.
    Async<NewPartner> add_partner(std::string name);
    // With a given id for the key text, as `dev` needs; does nothing if it is there already.
    Async<Partner> ensure_partner(std::string name, std::string key_text);
    Async<std::vector<Partner>> partners();
    // By id or by name. reasons::resource_not_found.
    Async<Partner> partner(std::string id_or_name);
    Async<> disable_partner(PartnerId id);  // reasons::resource_not_found.

    Async<meta::UsageAndLimits> usage(PartnerId partner);
    // `change` sees what is set and leaves what is to be; its error is returned and changes
    // nothing. Holds from the next call on.
    Async<> change_limits(PartnerId partner, std::function<Result<>(OwnLimits&)> change);
    // For what is made from now on. reasons::resource_not_found.
    Async<Partner> set_tier(PartnerId id, Tier tier);
    // The same of a line. reasons::invalid_parameter for ephemeral messages on a persistent line.
    Async<Line> set_line_tiers(std::string number, Tier tier, Tier messages);

    Async<NewApiKey> add_key(PartnerId partner);  // reasons::resource_not_found.
    Async<std::vector<ApiKey>> keys(PartnerId partner);
    Async<> revoke_key(ApiKeyId id);  // reasons::resource_not_found.

    // reasons::invalid_parameter if it is not E.164 or another partner's. Adding a partner's own
    // line again changes nothing.
    Async<Line> add_line(PartnerId partner, std::string number);
    Async<std::vector<Line>> lines();
    Async<> remove_line(std::string number);  // reasons::resource_not_found.

private:
    Async<Partner> require_partner(PartnerId id);

    meta::Database& database_;
    const Clock& clock_;
    LiveKeys live_;
};

// ^\+[1-9][0-9]{1,14}$ (contract section 3.2).
bool is_e164(std::string_view text);

}  // namespace satchel
