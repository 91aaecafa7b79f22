#include "model/webhook_subscription.hpp"

#include <algorithm>

namespace satchel {
namespace {

constexpr std::string_view newest_version = "2026-02-03";

bool is_date(std::string_view text) {
    if (text.size() != newest_version.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_dash = i == 4 || i == 7;
        if (is_dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
    }
    return true;
}

// The value of the first "version" in the query, as it stands.
std::string_view version_in(std::string_view url) {
    static constexpr std::string_view name = "version=";
    url = url.substr(0, url.find('#'));
    const auto query = url.find('?');
    if (query == std::string_view::npos) return {};
    url.remove_prefix(query + 1);
    while (!url.empty()) {
        const std::string_view pair = url.substr(0, url.find('&'));
        url.remove_prefix(std::min(url.size(), pair.size() + 1));
        if (pair.starts_with(name)) return pair.substr(name.size());
    }
    return {};
}

}  // namespace

std::string_view to_string(PayloadVersion version) {
    return version == PayloadVersion::v2025_01_01 ? "2025-01-01" : newest_version;
}

bool WebhookSubscription::wants(std::string_view event_type, std::string_view phone_number) const {
    if (!is_active || std::ranges::find(events, event_type) == events.end()) return false;
    return phone_numbers.empty() || phone_number.empty() ||
           std::ranges::find(phone_numbers, phone_number) != phone_numbers.end();
}

PayloadVersion payload_version(std::string_view target_url, Time created_at) {
    const std::string created = to_rfc3339(created_at);
    std::string_view date = version_in(target_url);
    if (!is_date(date)) date = std::string_view(created).substr(0, newest_version.size());
    return date < newest_version ? PayloadVersion::v2025_01_01 : PayloadVersion::v2026_02_03;
}

const std::vector<std::string_view>& webhook_event_types() {
    static const std::vector<std::string_view> types{
        "message.sent",
        "message.received",
        "message.read",
        "message.delivered",
        "message.failed",
        "message.edited",
        "reaction.added",
        "reaction.removed",
        "participant.added",
        "participant.removed",
        "chat.created",
        "chat.group_name_updated",
        "chat.group_icon_updated",
        "chat.group_name_update_failed",
        "chat.group_icon_update_failed",
        "chat.typing_indicator.started",
        "chat.typing_indicator.stopped",
        "phone_number.status_updated",
        "call.initiated",
        "call.ringing",
        "call.answered",
        "call.ended",
        "call.failed",
        "call.declined",
        "call.no_answer",
        "location.sharing.started",
        "location.sharing.stopped",
        "poll.received",
        "poll.failed",
        "poll.sent",
        "poll.delivered",
        "poll.read",
        "poll.updated",
        "poll.vote.added",
        "poll.vote.removed",
        "poll.reaction.added",
        "chat.background_updated",
        "chat.background_update_failed",
        "payment.succeeded",
        "payment.canceled",
        "payment.expired",
        "payment.declined",
        "payment.authorized",
        "connection.created",
        "connection.revoked",
    };
    return types;
}

bool is_webhook_event_type(std::string_view type) {
    return std::ranges::find(webhook_event_types(), type) != webhook_event_types().end();
}

}  // namespace satchel
