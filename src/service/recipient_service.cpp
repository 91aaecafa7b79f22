#include "service/recipient_service.hpp"

#include "base/limits.hpp"
#include "gateway/sandbox.hpp"
#include "model/api_errors.hpp"

namespace satchel {

Async<meta::BlockedHandle> RecipientService::block(PartnerId partner,
                                                   std::string handle,
                                                   std::string reason) {
    meta::BlockedHandle blocked{std::move(handle), std::move(reason), clock_.now()};
    auto insert = [partner, blocked = std::move(blocked)](
                      meta::Session& session) -> Result<meta::BlockedHandle> {
        TRY(auto former, meta::find_blocked_handle(session, partner, blocked.handle));
        if (former) return std::move(*former);
        TRY(const std::uint64_t count, meta::count_blocked_handles(session, partner));
        if (count >= limits::blocked_handles_max) {
            return fail(reasons::state_conflict, "No more than " +
                                                     std::to_string(limits::blocked_handles_max) +
                                                     " handles can be blocked");
        }
        CHECK(meta::insert_blocked_handle(session, partner, blocked));
        return blocked;
    };
    co_return co_await database_.write(std::move(insert));
}

Async<> RecipientService::unblock(PartnerId partner, std::string handle) {
    auto remove = [partner, handle = std::move(handle)](meta::Session& session) -> Result<> {
        CHECK(meta::remove_blocked_handle(session, partner, handle));
        return {};
    };
    co_return co_await database_.write(std::move(remove));
}

Async<std::vector<meta::BlockedHandle>> RecipientService::blocked(PartnerId partner) {
    auto list = [partner](meta::Session& session) {
        return meta::blocked_handles_of(session, partner);
    };
    co_return co_await database_.read(std::move(list));
}

Async<bool> RecipientService::can_reach(PartnerId partner,
                                        std::string address,
                                        std::optional<std::string> from,
                                        Service service) {
    auto look = [&](meta::Session& session) -> Result<> {
        if (from) {
            TRY(const auto owner, meta::owner_of_line(session, *from));
            if (owner != partner) return fail(reasons::phone_permission_denied);
            return {};
        }
        TRY(const auto lines, meta::lines_of(session, partner));
        if (lines.empty()) return fail(reasons::no_eligible_line);
        return {};
    };
    CO_CHECK(co_await database_.read(look));
    CO_CHECK(take_turn(partner));
    if (gateway::fate_of(address) == gateway::Fate::cannot_receive) co_return false;
    const bool is_email = address.find('@') != std::string::npos;
    co_return service == Service::imessage || !is_email;
}

Result<> RecipientService::take_turn(PartnerId partner) {
    const Time now = clock_.now();
    const std::lock_guard lock(mutex_);
    const auto [last, is_first] = last_checks_.try_emplace(partner, now);
    const Duration left = last->second + limits::capability_check_interval - now;
    if (is_first || left <= Duration::zero()) {
        last->second = now;
        return {};
    }
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
    auto refusal = fail(reasons::rate_limited,
                        "Rate limited. Try again in " + std::to_string(seconds) + " seconds.");
    refusal.error().retry_after_seconds = static_cast<std::uint32_t>(seconds);
    return refusal;
}

}  // namespace satchel
