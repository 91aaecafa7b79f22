#include "service/partner_service.hpp"

#include "base/random.hpp"
#include "crypto/digest.hpp"
#include "meta/partners.hpp"
#include "model/api_errors.hpp"

#include <cstring>
#include <mutex>

namespace satchel {
namespace {

constexpr std::string_view key_prefix = "sat_";
constexpr std::size_t key_random_bytes = 32;
constexpr std::size_t key_text_bytes_max = 128;
constexpr std::size_t key_hint_characters = 4;
constexpr std::size_t partner_name_bytes_max = 100;
constexpr std::size_t live_keys_max = 1024;

LiveKeys::Hash hash_of(std::string_view key_text) {
    return crypto::sha256(as_bytes(key_text));
}

std::string new_key_text() {
    std::array<std::byte, key_random_bytes> random{};
    fill_random(random);
    return std::string(key_prefix) + to_base64url(random);
}

ApiKey describe_key(PartnerId partner, std::string_view text, Time now) {
    ApiKey key;
    key.id = ApiKeyId::random();
    key.partner = partner;
    key.hint = text.substr(text.size() - std::min(text.size(), key_hint_characters));
    key.created_at = now;
    return key;
}

Partner describe_partner(std::string name, Time now) {
    Partner partner;
    partner.id = PartnerId::random();
    partner.name = std::move(name);
    partner.created_at = now;
    return partner;
}

Result<> check_name(std::string_view name) {
    if (name.empty()) return fail(reasons::invalid_parameter, "a partner needs a name");
    if (name.size() > partner_name_bytes_max) {
        return fail(
            reasons::invalid_parameter,
            "a partner's name has at most " + std::to_string(partner_name_bytes_max) + " bytes");
    }
    const auto is_control = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
    };
    if (std::ranges::any_of(name, is_control)) {
        return fail(reasons::invalid_parameter, "a partner's name has no control characters");
    }
    // A name that reads as an id could be taken for another partner.
    if (PartnerId::parse(name)) {
        return fail(reasons::invalid_parameter, "a partner's name must not look like an id");
    }
    return {};
}

Result<> insert_new_partner(meta::Session& session,
                            const Partner& partner,
                            const ApiKey& key,
                            const LiveKeys::Hash& hash) {
    TRY(const auto taken, meta::find_partner_named(session, partner.name));
    if (taken) {
        return fail(reasons::invalid_parameter,
                    "there is a partner named \"" + partner.name + "\" already");
    }
    CHECK(meta::insert_partner(session, partner));
    return meta::insert_api_key(session, key, hash);
}

Result<Line> insert_new_line(meta::Session& session, const Line& line) {
    TRY(const auto lines, meta::all_lines(session));
    const auto taken = std::ranges::find(lines, line.number, &Line::number);
    if (taken == lines.end()) {
        CHECK(meta::insert_line(session, line));
        return line;
    }
    if (taken->partner != line.partner) {
        return fail(reasons::invalid_parameter, line.number + " belongs to another partner");
    }
    return *taken;
}

}  // namespace

bool is_e164(std::string_view text) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return text.size() >= 3 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
           std::ranges::all_of(text.substr(1), is_digit);
}

std::size_t LiveKeys::HashOfHash::operator()(const Hash& hash) const {
    std::size_t value = 0;
    std::memcpy(&value, hash.data(), sizeof value);
    return value;
}

std::optional<Caller> LiveKeys::find(const Hash& hash) const {
    const std::shared_lock lock(mutex_);
    const auto found = callers_.find(hash);
    if (found == callers_.end()) return std::nullopt;
    return found->second;
}

void LiveKeys::remember(const Hash& hash, const Caller& caller, std::uint64_t generation) {
    const std::unique_lock lock(mutex_);
    if (generation != generation_) return;
    if (callers_.size() >= live_keys_max) callers_.clear();
    callers_.insert_or_assign(hash, caller);
}

std::uint64_t LiveKeys::generation() const {
    const std::shared_lock lock(mutex_);
    return generation_;
}

void LiveKeys::forget_all() {
    const std::unique_lock lock(mutex_);
    ++generation_;
    callers_.clear();
}

Async<Caller> PartnerService::authenticate(std::string_view token) {
    if (token.empty() || token.size() > key_text_bytes_max) co_return fail(reasons::unauthorized);
    const auto hash = hash_of(token);
    if (const auto caller = live_.find(hash)) co_return *caller;
    const auto generation = live_.generation();
    CO_TRY(const auto caller, co_await database_.read([&hash](meta::Session& session) {
        return meta::find_caller(session, hash);
    }));
    if (!caller) co_return fail(reasons::unauthorized);
    live_.remember(hash, *caller, generation);
    co_return *caller;
}

Async<NewPartner> PartnerService::add_partner(std::string name) {
    CO_CHECK(check_name(name));
    const Time now = clock_.now();
    NewPartner made;
    made.partner = describe_partner(std::move(name), now);
    made.first_key.secret = new_key_text();
    made.first_key.key = describe_key(made.partner.id, made.first_key.secret, now);
    const auto hash = hash_of(made.first_key.secret);
    const Partner partner = made.partner;
    const ApiKey key = made.first_key.key;
    CO_CHECK(co_await database_.write([partner, key, hash](meta::Session& session) {
        return insert_new_partner(session, partner, key, hash);
    }));
    co_return made;
}

Async<Partner> PartnerService::ensure_partner(std::string name, std::string key_text) {
    CO_CHECK(check_name(name));
    const Time now = clock_.now();
    const auto hash = hash_of(key_text);
    CO_TRY(const auto found, co_await database_.read([&name](meta::Session& session) {
        return meta::find_partner_named(session, name);
    }));
    if (!found) {
        const Partner partner = describe_partner(std::move(name), now);
        const ApiKey key = describe_key(partner.id, key_text, now);
        CO_CHECK(co_await database_.write([partner, key, hash](meta::Session& session) {
            return insert_new_partner(session, partner, key, hash);
        }));
        co_return partner;
    }
    const ApiKey key = describe_key(found->id, key_text, now);
    CO_TRY(const bool has_key, co_await database_.read([&hash](meta::Session& session) {
        return meta::api_key_exists(session, hash);
    }));
    if (!has_key) {
        CO_CHECK(co_await database_.write([key, hash](meta::Session& session) {
            return meta::insert_api_key(session, key, hash);
        }));
    }
    co_return *found;
}

Async<std::vector<Partner>> PartnerService::partners() {
    co_return co_await database_.read(
        [](meta::Session& session) { return meta::all_partners(session); });
}

Async<Partner> PartnerService::partner(std::string id_or_name) {
    const auto id = PartnerId::parse(id_or_name);
    CO_TRY(const auto found, co_await database_.read([&id, &id_or_name](meta::Session& session) {
        return id ? meta::find_partner(session, *id)
                  : meta::find_partner_named(session, id_or_name);
    }));
    if (!found) {
        co_return fail(reasons::resource_not_found, "there is no partner \"" + id_or_name + "\"");
    }
    co_return *found;
}

Async<Partner> PartnerService::require_partner(PartnerId id) {
    co_return co_await partner(id.str());
}

Async<> PartnerService::disable_partner(PartnerId id) {
    const Time now = clock_.now();
    CO_TRY(const bool found, co_await database_.write([id, now](meta::Session& session) {
        return meta::disable_partner(session, id, now);
    }));
    live_.forget_all();
    if (!found) co_return fail(reasons::resource_not_found, "there is no partner " + id.str());
    co_return Result<>{};
}

Async<meta::UsageAndLimits> PartnerService::usage(PartnerId partner) {
    co_return co_await database_.read(
        [partner](meta::Session& session) { return meta::usage_of(session, partner); });
}

Async<> PartnerService::change_limits(PartnerId partner,
                                      std::function<Result<>(OwnLimits&)> change) {
    auto write = [partner, change = std::move(change)](meta::Session& session) -> Result<> {
        TRY(auto found, meta::usage_of(session, partner));
        CHECK(change(found.own));
        return meta::store_limits(session, partner, found.own);
    };
    const auto changed = co_await database_.write(std::move(write));
    live_.forget_all();
    co_return changed;
}

Async<Partner> PartnerService::set_tier(PartnerId id, Tier tier) {
    CO_TRY(const bool found, co_await database_.write([id, tier](meta::Session& session) {
        return meta::set_partner_tier(session, id, tier);
    }));
    if (!found) co_return fail(reasons::resource_not_found, "there is no partner " + id.str());
    co_return co_await require_partner(id);
}

Async<Line> PartnerService::set_line_tiers(std::string number, Tier tier, Tier messages) {
    if (messages == Tier::ephemeral && tier != Tier::ephemeral) {
        co_return fail(reasons::invalid_parameter,
                       "ephemeral messages need an ephemeral line: their media leave with them");
    }
    auto set = [number, tier, messages](meta::Session& session) {
        return meta::set_line_tiers(session, number, tier, messages);
    };
    CO_TRY(const bool found, co_await database_.write(std::move(set)));
    if (!found) co_return fail(reasons::resource_not_found, "there is no line " + number);
    CO_TRY(const auto all, co_await lines());
    const auto line = std::ranges::find(all, number, &Line::number);
    if (line == all.end()) {
        co_return fail(reasons::resource_not_found, "there is no line " + number);
    }
    co_return *line;
}

Async<NewApiKey> PartnerService::add_key(PartnerId partner) {
    CO_CHECK(co_await require_partner(partner));
    NewApiKey made;
    made.secret = new_key_text();
    made.key = describe_key(partner, made.secret, clock_.now());
    const ApiKey key = made.key;
    const auto hash = hash_of(made.secret);
    CO_CHECK(co_await database_.write(
        [key, hash](meta::Session& session) { return meta::insert_api_key(session, key, hash); }));
    co_return made;
}

Async<std::vector<ApiKey>> PartnerService::keys(PartnerId partner) {
    CO_CHECK(co_await require_partner(partner));
    co_return co_await database_.read(
        [partner](meta::Session& session) { return meta::api_keys_of(session, partner); });
}

Async<> PartnerService::revoke_key(ApiKeyId id) {
    const Time now = clock_.now();
    CO_TRY(const bool found, co_await database_.write([id, now](meta::Session& session) {
        return meta::revoke_api_key(session, id, now);
    }));
    live_.forget_all();
    if (!found) co_return fail(reasons::resource_not_found, "there is no API key " + id.str());
    co_return Result<>{};
}

Async<Line> PartnerService::add_line(PartnerId partner, std::string number) {
    if (!is_e164(number)) {
        co_return fail(reasons::invalid_parameter,
                       "a line is a phone number in E.164 form, for example +15550100001");
    }
    CO_CHECK(co_await require_partner(partner));
    Line line;
    line.number = std::move(number);
    line.partner = partner;
    line.created_at = clock_.now();
    co_return co_await database_.write(
        [line](meta::Session& session) { return insert_new_line(session, line); });
}

Async<std::vector<Line>> PartnerService::lines() {
    co_return co_await database_.read(
        [](meta::Session& session) { return meta::all_lines(session); });
}

Async<> PartnerService::remove_line(std::string number) {
    CO_TRY(const bool found, co_await database_.write([number](meta::Session& session) {
        return meta::remove_line(session, number);
    }));
    if (!found) co_return fail(reasons::resource_not_found, "there is no line " + number);
    co_return Result<>{};
}

}  // namespace satchel
