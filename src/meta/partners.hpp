// Tables partners, api_keys and lines.
#pragma once

#include "base/bytes.hpp"
#include "meta/database.hpp"
#include "model/partner.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace satchel::meta {

Result<> insert_partner(Session& session, const Partner& partner);
Result<std::optional<Partner>> find_partner(Session& session, PartnerId id);
Result<std::optional<Partner>> find_partner_named(Session& session, std::string_view name);
Result<std::vector<Partner>> all_partners(Session& session);
// False if there is no such partner. Disabling twice keeps the first time.
Result<bool> disable_partner(Session& session, PartnerId id, Time at);

// `hash` is SHA-256 of the key's text.
Result<> insert_api_key(Session& session, const ApiKey& key, ByteView hash);
Result<std::vector<ApiKey>> api_keys_of(Session& session, PartnerId partner);
Result<bool> revoke_api_key(Session& session, ApiKeyId id, Time at);
// The caller behind a key; nullopt if it is unknown or revoked or its partner is disabled.
Result<std::optional<Caller>> find_caller(Session& session, ByteView hash);
// Whether a key with this hash was ever stored, revoked or not.
Result<bool> api_key_exists(Session& session, ByteView hash);

Result<> insert_line(Session& session, const Line& line);  // Errc::conflict if it is taken.
Result<std::vector<Line>> all_lines(Session& session);
Result<bool> remove_line(Session& session, std::string_view number);

// In the transaction that makes what they decide over. Persistent for a partner or a line of the
// partner that is not there.
Result<Tier> tier_of_partner(Session& session, PartnerId id);
Result<LineTiers> tiers_of_line(Session& session, PartnerId partner, std::string_view number);
// False if there is no such partner or line.
Result<bool> set_partner_tier(Session& session, PartnerId id, Tier tier);
Result<bool> set_line_tiers(Session& session, std::string_view number, Tier tier, Tier messages);

}  // namespace satchel::meta
