#include "meta/partners.hpp"

#include "meta/columns.hpp"

namespace satchel::meta {
namespace {

Result<Tier> tier_at(const Statement& row, int column) {
    if (row.is_null(column)) return Tier::persistent;
    if (const auto tier = parse_tier(row.text(column))) return *tier;
    return fail(Errc::corrupt, "a row has an unknown tier");
}

Result<Partner> read_partner(const Statement& row) {
    Partner out;
    TRY(out.id, id_at<PartnerId>(row, 0));
    out.name = row.text(1);
    out.created_at = time_at(row, 2);
    out.disabled_at = optional_time_at(row, 3);
    TRY(out.tier, tier_at(row, 4));
    return out;
}

Result<ApiKey> read_key(const Statement& row) {
    ApiKey out;
    TRY(out.id, id_at<ApiKeyId>(row, 0));
    TRY(out.partner, id_at<PartnerId>(row, 1));
    out.hint = row.text(2);
    out.created_at = time_at(row, 3);
    out.revoked_at = optional_time_at(row, 4);
    return out;
}

Result<Line> read_line(const Statement& row) {
    Line out;
    out.number = row.text(0);
    TRY(out.partner, id_at<PartnerId>(row, 1));
    out.created_at = time_at(row, 2);
    TRY(out.tier, tier_at(row, 3));
    TRY(out.message_tier, tier_at(row, 4));
    return out;
}

std::optional<std::uint32_t> optional_count_at(const Statement& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return static_cast<std::uint32_t>(row.integer(column));
}

Result<Caller> read_caller(const Statement& row) {
    Caller out;
    TRY(out.partner, id_at<PartnerId>(row, 0));
    TRY(out.key, id_at<ApiKeyId>(row, 1));
    out.rates.requests = optional_count_at(row, 2);
    out.rates.creates = optional_count_at(row, 3);
    out.rates.sends = optional_count_at(row, 4);
    return out;
}

}  // namespace

Result<> insert_partner(Session& session, const Partner& partner) {
    return session.run(
        "INSERT INTO partners (id, name, created_at, disabled_at) VALUES ($1, $2, $3, $4)",
        partner.id, partner.name, partner.created_at, partner.disabled_at);
}

Result<std::optional<Partner>> find_partner(Session& session, PartnerId id) {
    TRY(auto statement,
        session.query("SELECT id, name, created_at, disabled_at, tier FROM partners WHERE id = $1",
                      id));
    return first_row(*statement, read_partner);
}

Result<std::optional<Partner>> find_partner_named(Session& session, std::string_view name) {
    TRY(auto statement,
        session.query(
            "SELECT id, name, created_at, disabled_at, tier FROM partners WHERE name = $1", name));
    return first_row(*statement, read_partner);
}

Result<std::vector<Partner>> all_partners(Session& session) {
    TRY(auto statement,
        session.prepare("SELECT id, name, created_at, disabled_at, tier FROM partners "
                        "ORDER BY created_at, id"));
    return all_rows(*statement, read_partner);
}

Result<bool> disable_partner(Session& session, PartnerId id, Time at) {
    TRY(auto statement,
        session.query("UPDATE partners SET disabled_at = coalesce(disabled_at, $2) WHERE id = $1 "
                      "RETURNING 1",
                      id, at));
    return changed(*statement);
}

Result<> insert_api_key(Session& session, const ApiKey& key, ByteView hash) {
    return session.run(
        "INSERT INTO api_keys (hash, id, partner, hint, created_at, revoked_at) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        hash, key.id, key.partner, key.hint, key.created_at, key.revoked_at);
}

Result<std::vector<ApiKey>> api_keys_of(Session& session, PartnerId partner) {
    TRY(auto statement,
        session.query("SELECT id, partner, hint, created_at, revoked_at FROM api_keys "
                      "WHERE partner = $1 ORDER BY created_at, id",
                      partner));
    return all_rows(*statement, read_key);
}

Result<bool> revoke_api_key(Session& session, ApiKeyId id, Time at) {
    TRY(auto statement,
        session.query("UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 "
                      "RETURNING 1",
                      id, at));
    return changed(*statement);
}

Result<std::optional<Caller>> find_caller(Session& session, ByteView hash) {
    TRY(auto statement,
        session.query("SELECT k.partner, k.id, l.requests_per_minute, l.creates_per_minute, "
                      "l.sends_per_minute FROM api_keys k JOIN partners p ON p.id = k.partner "
                      "LEFT JOIN partner_limits l ON l.partner = k.partner "
                      "WHERE k.hash = $1 AND k.revoked_at IS NULL AND p.disabled_at IS NULL",
                      hash));
    return first_row(*statement, read_caller);
}

Result<bool> api_key_exists(Session& session, ByteView hash) {
    TRY(auto statement, session.query("SELECT 1 FROM api_keys WHERE hash = $1", hash));
    return statement->step();
}

Result<> insert_line(Session& session, const Line& line) {
    return session.run("INSERT INTO lines (number, partner, created_at) VALUES ($1, $2, $3)",
                       line.number, line.partner, line.created_at);
}

Result<std::vector<Line>> all_lines(Session& session) {
    TRY(auto statement,
        session.prepare(
            "SELECT number, partner, created_at, tier, message_tier FROM lines ORDER BY number"));
    return all_rows(*statement, read_line);
}

Result<bool> remove_line(Session& session, std::string_view number) {
    TRY(auto statement, session.query("DELETE FROM lines WHERE number = $1 RETURNING 1", number));
    return changed(*statement);
}

Result<Tier> tier_of_partner(Session& session, PartnerId id) {
    TRY(auto statement, session.query("SELECT tier FROM partners WHERE id = $1", id));
    TRY(const auto tier,
        first_row(*statement, [](const Statement& row) { return tier_at(row, 0); }));
    return tier.value_or(Tier::persistent);
}

Result<LineTiers> tiers_of_line(Session& session, PartnerId partner, std::string_view number) {
    TRY(auto statement,
        session.query("SELECT p.tier, l.tier, l.message_tier FROM partners p LEFT JOIN lines l "
                      "ON l.number = $2 AND l.partner = p.id WHERE p.id = $1",
                      partner, number));
    const auto read = [](const Statement& row) -> Result<LineTiers> {
        LineTiers out;
        TRY(out.partner, tier_at(row, 0));
        TRY(out.line, tier_at(row, 1));
        TRY(out.messages, tier_at(row, 2));
        return out;
    };
    TRY(const auto tiers, first_row(*statement, read));
    return tiers.value_or(LineTiers{});
}

Result<bool> set_partner_tier(Session& session, PartnerId id, Tier tier) {
    TRY(auto statement, session.query("UPDATE partners SET tier = $2 WHERE id = $1 RETURNING 1", id,
                                      to_string(tier)));
    return changed(*statement);
}

Result<bool> set_line_tiers(Session& session, std::string_view number, Tier tier, Tier messages) {
    TRY(auto statement, session.query("UPDATE lines SET tier = $2, message_tier = $3 "
                                      "WHERE number = $1 RETURNING 1",
                                      number, to_string(tier), to_string(messages)));
    return changed(*statement);
}

}  // namespace satchel::meta
