#include "service/message_expiry.hpp"

#include "base/limits.hpp"
#include "meta/message_removal.hpp"
#include "meta/webhook_outbox.hpp"

namespace satchel {

Async<std::size_t> MessageExpiry::sweep_messages() {
    auto look = [now = parts_.clock.now()](meta::Session& session) {
        return meta::expired_messages(session, now, limits::expiry_batch_max);
    };
    CO_TRY(const auto expired, co_await parts_.database.read(look));
    if (expired.empty()) co_return std::size_t{0};
    auto remove = [expired](meta::Session& session) {
        return meta::remove_messages(session, expired);
    };
    CO_TRY(const std::size_t removed,
           co_await parts_.database.write(std::move(remove), meta::Erases::yes));
    removed_messages_ += removed;
    co_return removed;
}

Async<std::size_t> MessageExpiry::sweep_events() {
    const Time now = parts_.clock.now();
    auto look = [now](meta::Session& session) {
        return meta::has_expired_deliveries(session, now);
    };
    CO_TRY(const bool has_any, co_await parts_.database.read(look));
    if (!has_any) co_return std::size_t{0};
    auto drop = [now](meta::Session& session) {
        return meta::drop_expired_deliveries(session, now, limits::expiry_batch_max);
    };
    co_return co_await parts_.database.write(std::move(drop), meta::Erases::yes);
}

}  // namespace satchel
