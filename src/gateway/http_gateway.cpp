#include "gateway/http_gateway.hpp"

#include "base/limits.hpp"
#include "crypto/webhook_signature.hpp"
#include "gateway/message_json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace satchel::gateway {
namespace {

namespace json = boost::json;

constexpr std::string_view refused = "The carrier refused the message";

// The bridge compares it with its own clock: the real time, whatever the service's clock says.
std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

bool is_worth_another_attempt(int status) {
    return status < 400 || status >= 500 || status == 408 || status == 429;
}

// Members that are absent or of another type are as good as empty: an answer may be anything.
class Answer {
public:
    explicit Answer(std::string_view body) {
        boost::system::error_code error;
        json::parse_options options;
        options.max_depth = limits::json_depth_max;
        const json::value value = json::parse({body.data(), body.size()}, error, {}, options);
        if (!error && value.is_object()) object_ = value.get_object();
    }

    std::string_view text(std::string_view name) const {
        const json::value* value = object_.if_contains({name.data(), name.size()});
        if (value == nullptr || !value->is_string()) return {};
        return {value->get_string().data(), value->get_string().size()};
    }
    std::int64_t number(std::string_view name) const {
        const json::value* value = object_.if_contains({name.data(), name.size()});
        return value != nullptr && value->is_int64() ? value->get_int64() : 0;
    }

private:
    json::object object_;
};

Outcome failure_of(const Answer& answer) {
    const std::int64_t code = answer.number("code");
    const std::string_view reason = answer.text("reason");
    Outcome outcome;
    outcome.failure_code =
        is_failure_code(code) ? static_cast<std::uint16_t>(code) : code_delivery_failed;
    outcome.failure_reason = failure_reason_of(reason.empty() ? refused : reason);
    return outcome;
}

Outcome outcome_of(const Answer& answer, Time now) {
    const auto status = parse_delivery_status(answer.text("status"));
    if (!status) return {};
    return *status == DeliveryStatus::failed ? failure_of(answer) : reached(*status, now);
}

}  // namespace

Async<Outcome> HttpGateway::submit(const Chat& chat, const Message& message) {
    fetch::PostRequest request;
    request.url = parts_.url;
    request.partner = "gateway";
    request.total_max = limits::gateway_attempt_max;
    request.answer_bytes_max = limits::gateway_answer_bytes_max;
    request.body = message_json(chat, message);
    const std::string id = message.id.str();
    const crypto::WebhookMessage signed_message{
        .id = id, .unix_seconds = unix_seconds(), .body = request.body};
    CO_TRY(std::string signature,
           crypto::standard_webhook_signature(parts_.secret, signed_message));
    request.headers = {{"Content-Type", "application/json"},
                       {"webhook-id", id},
                       {"webhook-timestamp", std::to_string(signed_message.unix_seconds)},
                       {"webhook-signature", std::move(signature)}};
    CO_TRY(const fetch::Posted posted, co_await parts_.fetcher.post(std::move(request)));
    if (posted.failure != fetch::Failure::none) {
        co_return fail(Errc::unavailable, "the bridge did not answer: " + posted.detail);
    }
    const Answer answer(posted.body);
    if (posted.status >= 200 && posted.status < 300) {
        co_return outcome_of(answer, std::max(parts_.clock.now(), message.created_at));
    }
    if (is_worth_another_attempt(posted.status)) {
        co_return fail(Errc::unavailable, "the bridge answered " + std::to_string(posted.status));
    }
    co_return failure_of(answer);
}

}  // namespace satchel::gateway
