#include "admin/partners.hpp"

#include "admin/quota.hpp"
#include "admin/render.hpp"
#include "model/api_errors.hpp"

#include <boost/json.hpp>

namespace satchel::admin {
namespace {

namespace json = boost::json;

json::value time_or_null(const std::optional<Time>& time) {
    if (!time) return nullptr;
    return json::value(to_rfc3339(*time));
}

json::object render(const Partner& partner) {
    return {{"partner_id", partner.id.str()},
            {"name", partner.name},
            {"created_at", to_rfc3339(partner.created_at)},
            {"disabled_at", time_or_null(partner.disabled_at)}};
}

json::object render(const ApiKey& key) {
    return {{"api_key_id", key.id.str()},
            {"partner_id", key.partner.str()},
            {"hint", key.hint},
            {"created_at", to_rfc3339(key.created_at)},
            {"revoked_at", time_or_null(key.revoked_at)}};
}

json::object render(const Line& line) {
    return {{"number", line.number},
            {"partner_id", line.partner.str()},
            {"created_at", to_rfc3339(line.created_at)}};
}

template <class T>
json::array render_all(const std::vector<T>& items) {
    json::array all;
    for (const T& item : items) all.push_back(render(item));
    return all;
}

}  // namespace

Async<http::Response> list_partners(Call call) {
    CO_TRY(const auto partners, co_await call.services.partners.partners());
    co_return json_response(200, json::object{{"partners", render_all(partners)}});
}

Async<http::Response> add_partner(Call call) {
    CO_TRY(const json::object body, co_await read_object(call.request));
    CO_TRY(std::string name, string_field(body, "name"));
    CO_TRY(const NewPartner made, co_await call.services.partners.add_partner(std::move(name)));
    json::object answer = render(made.partner);
    answer["api_key_id"] = made.first_key.key.id.str();
    answer["api_key"] = made.first_key.secret;
    co_return json_response(201, answer);
}

Async<http::Response> show_partner(Call call) {
    CO_TRY(const Partner partner, co_await call.services.partners.partner(call.subject));
    CO_TRY(const auto keys, co_await call.services.partners.keys(partner.id));
    CO_TRY(auto lines, co_await call.services.partners.lines());
    std::erase_if(lines, [&partner](const Line& line) { return line.partner != partner.id; });
    json::object answer = render(partner);
    answer["keys"] = render_all(keys);
    answer["lines"] = render_all(lines);
    CO_TRY(answer["quota"], co_await describe_quota(call.services, partner.id));
    co_return json_response(200, answer);
}

Async<http::Response> disable_partner(Call call) {
    CO_TRY(const Partner found, co_await call.services.partners.partner(call.subject));
    CO_CHECK(co_await call.services.partners.disable_partner(found.id));
    CO_TRY(const Partner disabled, co_await call.services.partners.partner(found.id.str()));
    co_return json_response(200, render(disabled));
}

Async<http::Response> list_keys(Call call) {
    CO_TRY(const Partner partner, co_await call.services.partners.partner(call.subject));
    CO_TRY(const auto keys, co_await call.services.partners.keys(partner.id));
    co_return json_response(200, json::object{{"keys", render_all(keys)}});
}

Async<http::Response> add_key(Call call) {
    CO_TRY(const Partner partner, co_await call.services.partners.partner(call.subject));
    CO_TRY(const NewApiKey made, co_await call.services.partners.add_key(partner.id));
    json::object answer = render(made.key);
    answer["api_key"] = made.secret;
    co_return json_response(201, answer);
}

Async<http::Response> revoke_key(Call call) {
    const auto id = ApiKeyId::parse(call.subject);
    if (!id) {
        co_return fail(reasons::invalid_parameter,
                       "an API key is named by its id, a UUID; satchel key list shows them");
    }
    CO_CHECK(co_await call.services.partners.revoke_key(*id));
    co_return no_content();
}

Async<http::Response> list_lines(Call call) {
    CO_TRY(const auto lines, co_await call.services.partners.lines());
    co_return json_response(200, json::object{{"lines", render_all(lines)}});
}

Async<http::Response> add_line(Call call) {
    CO_TRY(const json::object body, co_await read_object(call.request));
    CO_TRY(std::string number, string_field(body, "number"));
    CO_TRY(const Partner partner, co_await call.services.partners.partner(call.subject));
    CO_TRY(const Line line,
           co_await call.services.partners.add_line(partner.id, std::move(number)));
    co_return json_response(201, render(line));
}

Async<http::Response> remove_line(Call call) {
    CO_CHECK(co_await call.services.partners.remove_line(call.subject));
    co_return no_content();
}

}  // namespace satchel::admin
