#include "meta/webhook_subscriptions.hpp"

#include "meta/columns.hpp"

#include <string>
#include <string_view>

namespace satchel::meta {
namespace {

// Lists of words are kept as text with single blanks between.
std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
    return text;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        words.emplace_back(word);
        text.remove_prefix(std::min(text.size(), word.size() + 1));
    }
    return words;
}

Result<SubscriptionRow> read_row(const Statement& row) {
    SubscriptionRow out;
    out.seq = row.integer(0);
    WebhookSubscription& subscription = out.subscription;
    TRY(subscription.id, id_at<SubscriptionId>(row, 1));
    TRY(subscription.partner, id_at<PartnerId>(row, 2));
    subscription.target_url = row.text(3);
    subscription.events = split(row.text(4));
    subscription.phone_numbers = split(row.text(5));
    subscription.is_active = row.integer(6) != 0;
    out.sealed_secret = bytes_at(row, 7);
    subscription.created_at = time_at(row, 8);
    subscription.updated_at = time_at(row, 9);
    return out;
}

}  // namespace

Result<> insert_subscription(Session& session, const SubscriptionRow& row) {
    const WebhookSubscription& subscription = row.subscription;
    return session.run(
        "INSERT INTO webhook_subscriptions (id, partner, target_url, events, phone_numbers, "
        "is_active, sealed_secret, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        subscription.id, subscription.partner, subscription.target_url, join(subscription.events),
        join(subscription.phone_numbers), subscription.is_active ? 1 : 0, row.sealed_secret,
        subscription.created_at, subscription.updated_at);
}

Result<> update_subscription(Session& session, const WebhookSubscription& subscription) {
    return session.run(
        "UPDATE webhook_subscriptions SET target_url = $2, events = $3, phone_numbers = $4, "
        "is_active = $5, updated_at = $6 WHERE id = $1",
        subscription.id, subscription.target_url, join(subscription.events),
        join(subscription.phone_numbers), subscription.is_active ? 1 : 0, subscription.updated_at);
}

Result<std::optional<WebhookSubscription>> find_subscription(Session& session,
                                                             PartnerId partner,
                                                             SubscriptionId id) {
    TRY(auto statement,
        session.query("SELECT seq, id, partner, target_url, events, phone_numbers, is_active, "
                      "sealed_secret, created_at, updated_at FROM webhook_subscriptions "
                      "WHERE id = $1",
                      id));
    TRY(auto row, first_row(*statement, read_row));
    if (!row || row->subscription.partner != partner) {
        return std::optional<WebhookSubscription>{};
    }
    return std::optional<WebhookSubscription>{std::move(row->subscription)};
}

Result<std::vector<SubscriptionRow>> subscriptions_of(Session& session, PartnerId partner) {
    TRY(auto statement,
        session.query("SELECT seq, id, partner, target_url, events, phone_numbers, is_active, "
                      "sealed_secret, created_at, updated_at FROM webhook_subscriptions "
                      "WHERE partner = $1 ORDER BY seq",
                      partner));
    return all_rows(*statement, read_row);
}

Result<std::size_t> count_subscriptions(Session& session, PartnerId partner) {
    TRY(auto statement,
        session.query("SELECT count(*) FROM webhook_subscriptions WHERE partner = $1", partner));
    TRY([[maybe_unused]] const bool found, statement->step());
    return static_cast<std::size_t>(statement->integer(0));
}

Result<bool> remove_subscription(Session& session, PartnerId partner, SubscriptionId id) {
    TRY(auto statement,
        session.query("DELETE FROM webhook_subscriptions WHERE id = $1 AND partner = $2 "
                      "RETURNING 1",
                      id, partner));
    return changed(*statement);
}

Result<std::vector<SealedSecret>> sealed_secrets_after(Session& session,
                                                       std::int64_t after,
                                                       std::size_t max) {
    TRY(auto statement,
        session.query("SELECT seq, id, sealed_secret FROM webhook_subscriptions WHERE seq > $1 "
                      "ORDER BY seq LIMIT $2",
                      after, max));
    return all_rows(*statement, [](const Statement& row) -> Result<SealedSecret> {
        SealedSecret out{.seq = row.integer(0), .subscription = {}, .sealed = bytes_at(row, 2)};
        TRY(out.subscription, id_at<SubscriptionId>(row, 1));
        return out;
    });
}

Result<> store_sealed_secret(Session& session, SubscriptionId id, const Bytes& sealed) {
    return session.run("UPDATE webhook_subscriptions SET sealed_secret = $2 WHERE id = $1", id,
                       sealed);
}

}  // namespace satchel::meta
