#include "app/readiness.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"

namespace satchel::app {

Task<std::string> Readiness::failing_part() {
    const auto now = std::chrono::steady_clock::now();
    {
        const std::lock_guard guard(mutex_);
        if (now < expires_at_) co_return failing_part_;
        expires_at_ = now + limits::readiness_kept;
    }
    const std::string failing = co_await check();
    const std::lock_guard guard(mutex_);
    failing_part_ = failing;
    co_return failing;
}

Task<std::string> Readiness::check() {
    const auto answered = co_await database_.read([](meta::Session& session) -> Result<> {
        TRY(const auto statement, session.query("SELECT 1"));
        TRY([[maybe_unused]] const bool row, statement->step());
        return {};
    });
    if (!answered) {
        log::error("not_ready", {{"part", "database"}, {"detail", answered.error().detail}});
        co_return "database";
    }
    const auto probed = co_await blobs_.probe();
    if (!probed) {
        log::error("not_ready", {{"part", "blobs"}, {"detail", probed.error().detail}});
        co_return "blobs";
    }
    co_return std::string();
}

}  // namespace satchel::app
