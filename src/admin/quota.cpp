#include "admin/quota.hpp"

#include "admin/render.hpp"
#include "meta/usage.hpp"
#include "model/api_errors.hpp"

#include <boost/json.hpp>

#include <array>

namespace satchel::admin {
namespace {

namespace json = boost::json;

struct QuotaMember {
    std::string_view name;
    std::optional<std::uint64_t> OwnLimits::* own;
    std::uint64_t Quota::* otherwise;
};
constexpr std::array quota_members{
    QuotaMember{"bytes", &OwnLimits::bytes, &Quota::bytes},
    QuotaMember{"files", &OwnLimits::files, &Quota::files},
    QuotaMember{"pending", &OwnLimits::pending, &Quota::pending},
};

struct RateMember {
    std::string_view name;
    std::optional<std::uint32_t> OwnRates::* own;
    std::uint32_t CallRates::* otherwise;
};
constexpr std::array rate_members{
    RateMember{"requests_per_minute", &OwnRates::requests, &CallRates::requests},
    RateMember{"creates_per_minute", &OwnRates::creates, &CallRates::creates},
    RateMember{"sends_per_minute", &OwnRates::sends, &CallRates::sends},
};

std::uint64_t used(const meta::Usage& usage, std::string_view member) {
    if (member == "bytes") return usage.bytes();
    return member == "files" ? usage.files() : usage.pending;
}

// nullopt for null.
Result<std::optional<std::uint64_t>> limit_of(std::string_view name,
                                              const json::value& value,
                                              std::uint64_t max) {
    if (value.is_null()) return std::optional<std::uint64_t>{};
    boost::system::error_code error;
    const auto number = value.to_number<std::uint64_t>(error);
    if (error || number > max) {
        return fail(reasons::invalid_parameter,
                    std::string(name) + " must be a number from 0 (no limit) to " +
                        std::to_string(max) + ", or null for the server's setting");
    }
    return std::optional<std::uint64_t>{number};
}

Result<bool> set_member(OwnLimits& own, std::string_view name, const json::value& value) {
    for (const QuotaMember& member : quota_members) {
        if (member.name != name) continue;
        TRY(own.*member.own, limit_of(name, value, quota_max));
        return true;
    }
    for (const RateMember& member : rate_members) {
        if (member.name != name) continue;
        TRY(const auto limit, limit_of(name, value, rate_max));
        (own.rates.*member.own).reset();
        if (limit) own.rates.*member.own = static_cast<std::uint32_t>(*limit);
        return true;
    }
    return false;
}

Result<> set_members(OwnLimits& own, const json::object& body) {
    for (const auto& [key, value] : body) {
        const std::string name(key.data(), key.size());
        TRY(const bool is_known, set_member(own, name, value));
        if (is_known) continue;
        return fail(reasons::invalid_parameter,
                    "unknown member; accepted: bytes, files, pending, requests_per_minute, "
                    "creates_per_minute, sends_per_minute");
    }
    return {};
}

}  // namespace

Async<json::object> describe_quota(Services& services, PartnerId partner) {
    CO_TRY(const auto found, co_await services.partners.usage(partner));
    json::object answer;
    for (const QuotaMember& member : quota_members) {
        const auto& own = found.own.*member.own;
        answer[member.name] = json::object{{"used", used(found.usage, member.name)},
                                           {"max", own.value_or(services.quota.*member.otherwise)},
                                           {"own", own.has_value()}};
    }
    for (const RateMember& member : rate_members) {
        const auto& own = found.own.rates.*member.own;
        answer[member.name] = json::object{
            {"max", own.value_or(services.call_rates.*member.otherwise)}, {"own", own.has_value()}};
    }
    co_return answer;
}

Async<http::Response> show_quota(Call call) {
    CO_TRY(const Partner partner, co_await call.services.partners.partner(call.subject));
    CO_TRY(const json::object answer, co_await describe_quota(call.services, partner.id));
    co_return json_response(200, answer);
}

Async<http::Response> change_quota(Call call) {
    CO_TRY(const json::object body, co_await read_object(call.request));
    CO_TRY(const Partner partner, co_await call.services.partners.partner(call.subject));
    const auto change = [body](OwnLimits& own) { return set_members(own, body); };
    CO_CHECK(co_await call.services.partners.change_limits(partner.id, change));
    CO_TRY(const json::object answer, co_await describe_quota(call.services, partner.id));
    co_return json_response(200, answer);
}

}  // namespace satchel::admin
