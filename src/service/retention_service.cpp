#include "service/retention_service.hpp"

#include "base/limits.hpp"
#include "meta/audit_cut.hpp"
#include "meta/message_removal.hpp"
#include "meta/old_rows.hpp"
#include "service/audit_retention.hpp"
#include "service/message_media.hpp"

namespace satchel {
namespace {

constexpr auto keys_walk_interval = std::chrono::hours(1);

Duration late(const std::optional<Time>& oldest, Time due_before) {
    return oldest && *oldest < due_before ? due_before - *oldest : Duration{0};
}

}  // namespace

Async<std::size_t> RetentionService::sweep_messages() {
    const auto& settings = parts_.settings;
    if (settings.messages == Duration{0}) co_return std::size_t{0};
    const Time before = parts_.clock.now() - settings.messages;
    struct Due {
        std::vector<std::int64_t> messages;
        std::vector<OwnedAttachment> media;
    };
    auto look = [before,
                 with_media = settings.removes_media](meta::Session& session) -> Result<Due> {
        Due due;
        TRY(due.messages, meta::messages_before(session, before, limits::retention_batch_max));
        if (!with_media) return due;
        for (const std::int64_t seq : due.messages) {
            CHECK(add_media_of(session, seq, MediaOrigin::elsewhere, due.media));
        }
        return due;
    };
    CO_TRY(Due due, co_await parts_.database.read(look));
    if (due.messages.empty()) co_return std::size_t{0};
    auto remove = [messages = std::move(due.messages)](meta::Session& session) {
        return meta::remove_messages(session, messages);
    };
    CO_TRY(const auto removed,
           co_await parts_.deletions.remove_all(std::move(due.media), {"retention", "sweeper"},
                                                std::move(remove)));
    co_return removed.beside;
}

Async<std::size_t> RetentionService::sweep_idempotency_keys() {
    const Time now = parts_.clock.now();
    if (parts_.settings.idempotency_keys == Duration{0} || now < keys_due_at_) {
        co_return std::size_t{0};
    }
    const Time before = now - parts_.settings.idempotency_keys;
    auto look = [before, after = keys_seen_](meta::Session& session) {
        return meta::idempotency_keys_after(session, after, before, limits::retention_batch_max);
    };
    CO_TRY(const auto rows, co_await parts_.database.read(look));
    if (rows.empty()) {
        keys_seen_ = {};
        keys_due_at_ = now + keys_walk_interval;
        co_return std::size_t{0};
    }
    keys_seen_ = rows.back().message;
    std::vector<meta::IdempotencyKeyRow> old;
    for (const auto& row : rows) {
        if (row.message_is_gone) old.push_back(row);
    }
    const std::size_t looked_at = rows.size();
    if (old.empty()) co_return looked_at;
    auto remove = [old = std::move(old)](meta::Session& session) -> Result<> {
        for (const auto& row : old) CHECK(meta::remove_idempotency_key(session, row));
        return {};
    };
    CO_CHECK(co_await parts_.database.write(std::move(remove)));
    co_return looked_at;
}

Async<std::size_t> RetentionService::sweep_overrides() {
    if (parts_.settings.audit == Duration{0}) co_return std::size_t{0};
    const Time before = parts_.clock.now() - parts_.settings.audit;
    auto is_due = [before](meta::Session& session) -> Result<bool> {
        TRY(const auto oldest, meta::oldest_override(session));
        return oldest && *oldest < before;
    };
    CO_TRY(const bool due, co_await parts_.database.read(is_due));
    if (!due) co_return std::size_t{0};
    auto drop = [before](meta::Session& session) {
        return meta::drop_overrides_before(session, before, limits::retention_batch_max);
    };
    co_return co_await parts_.database.write(drop);
}

Async<std::size_t> RetentionService::sweep_inbox() {
    const Time before = parts_.clock.now() - limits::gateway_id_life;
    auto is_due = [before](meta::Session& session) -> Result<bool> {
        TRY(const auto oldest, meta::oldest_inbox(session));
        return oldest && *oldest < before;
    };
    CO_TRY(const bool due, co_await parts_.database.read(is_due));
    if (!due) co_return std::size_t{0};
    auto drop = [before](meta::Session& session) {
        return meta::drop_inbox_before(session, before, limits::retention_batch_max);
    };
    co_return co_await parts_.database.write(drop);
}

Async<std::size_t> RetentionService::sweep_edge_purges() {
    if (parts_.settings.tells_edge) co_return std::size_t{0};
    auto is_due = [](meta::Session& session) { return meta::has_edge_purges(session); };
    CO_TRY(const bool due, co_await parts_.database.read(is_due));
    if (!due) co_return std::size_t{0};
    auto drop = [](meta::Session& session) {
        return meta::drop_edge_purges(session, limits::retention_batch_max);
    };
    co_return co_await parts_.database.write(drop);
}

Async<std::size_t> RetentionService::sweep_audit() {
    if (parts_.settings.audit == Duration{0}) co_return std::size_t{0};
    const Time now = parts_.clock.now();
    co_return co_await cut_audit(parts_.database, now - parts_.settings.audit, now);
}

Async<Duration> RetentionService::attachments_lag() {
    auto look = [](meta::Session& session) { return meta::oldest_due_attachment(session); };
    CO_TRY(const auto oldest, co_await parts_.database.read(look));
    co_return late(oldest, parts_.clock.now());
}

Async<Duration> RetentionService::audit_lag() {
    if (parts_.settings.audit == Duration{0}) co_return Duration{0};
    auto look = [](meta::Session& session) { return meta::oldest_audit_entry(session); };
    CO_TRY(const auto oldest, co_await parts_.database.read(look));
    co_return late(oldest, parts_.clock.now() - parts_.settings.audit);
}

Async<Duration> RetentionService::overrides_lag() {
    if (parts_.settings.audit == Duration{0}) co_return Duration{0};
    auto look = [](meta::Session& session) { return meta::oldest_override(session); };
    CO_TRY(const auto oldest, co_await parts_.database.read(look));
    co_return late(oldest, parts_.clock.now() - parts_.settings.audit);
}

Async<Duration> RetentionService::messages_lag() {
    if (parts_.settings.messages == Duration{0}) co_return Duration{0};
    auto look = [](meta::Session& session) { return meta::oldest_message(session); };
    CO_TRY(const auto oldest, co_await parts_.database.read(look));
    co_return late(oldest, parts_.clock.now() - parts_.settings.messages);
}

Async<Duration> RetentionService::inbox_lag() {
    auto look = [](meta::Session& session) { return meta::oldest_inbox(session); };
    CO_TRY(const auto oldest, co_await parts_.database.read(look));
    co_return late(oldest, parts_.clock.now() - limits::gateway_id_life);
}

}  // namespace satchel
