#include "admin/tiers.hpp"

#include "admin/render.hpp"
#include "model/api_errors.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace satchel::admin {
namespace {

namespace json = boost::json;

json::value text(Tier tier) {
    const std::string_view name = to_string(tier);
    return json::value(json::string_view(name.data(), name.size()));
}

json::object render(const Partner& partner) {
    return {{"partner_id", partner.id.str()}, {"name", partner.name}, {"tier", text(partner.tier)}};
}

// Partner-wide beats per line.
json::object render(const Line& line, const std::vector<Partner>& partners) {
    const auto owner = std::ranges::find(partners, line.partner, &Partner::id);
    const LineTiers tiers{owner == partners.end() ? Tier::persistent : owner->tier, line.tier,
                          line.message_tier};
    return {{"number", line.number},
            {"partner_id", line.partner.str()},
            {"tier", text(line.tier)},
            {"message_tier", text(line.message_tier)},
            {"effective_tier", text(tiers.media())}};
}

Result<Tier> tier_field(const json::object& body, std::string_view name) {
    TRY(const std::string value, string_field(body, name));
    if (const auto tier = parse_tier(value)) return *tier;
    return fail(reasons::invalid_parameter, std::string(name) + " must be ephemeral or persistent");
}

}  // namespace

Async<http::Response> show_tiers(Call call) {
    CO_TRY(const auto partners, co_await call.services.partners.partners());
    CO_TRY(const auto lines, co_await call.services.partners.lines());
    json::array partner_rows;
    for (const Partner& partner : partners) partner_rows.push_back(render(partner));
    json::array line_rows;
    for (const Line& line : lines) line_rows.push_back(render(line, partners));
    co_return json_response(
        200, json::object{{"partners", std::move(partner_rows)}, {"lines", std::move(line_rows)}});
}

Async<http::Response> set_partner_tier(Call call) {
    CO_TRY(const json::object body, co_await read_object(call.request));
    CO_TRY(const Tier tier, tier_field(body, "tier"));
    CO_TRY(const Partner found, co_await call.services.partners.partner(call.subject));
    CO_TRY(const Partner changed, co_await call.services.partners.set_tier(found.id, tier));
    co_return json_response(200, render(changed));
}

Async<http::Response> set_line_tier(Call call) {
    CO_TRY(const json::object body, co_await read_object(call.request));
    CO_TRY(const Tier tier, tier_field(body, "tier"));
    Tier messages = Tier::persistent;
    if (body.contains("message_tier")) {
        CO_TRY(messages, tier_field(body, "message_tier"));
    }
    CO_TRY(const Line line,
           co_await call.services.partners.set_line_tiers(call.subject, tier, messages));
    CO_TRY(const auto partners, co_await call.services.partners.partners());
    co_return json_response(200, render(line, partners));
}

}  // namespace satchel::admin
