// Recipients: whom a partner has blocked, and who can be reached over what. Contract section 6.
//
// Usable from every loop at once.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "meta/chats.hpp"
#include "meta/database.hpp"
#include "model/chat.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace satchel {

class RecipientService {
public:
    RecipientService(meta::Database& database, const Clock& clock)
        : database_(database), clock_(clock) {}

    // A handle that is blocked already keeps its first time and reason. reasons::state_conflict
    // beyond limits::blocked_handles_max.
    Async<meta::BlockedHandle> block(PartnerId partner, std::string handle, std::string reason);
    // Whether it was blocked or not.
    Async<> unblock(PartnerId partner, std::string handle);
    Async<std::vector<meta::BlockedHandle>> blocked(PartnerId partner);

    // Whether `address` can be reached over `service` from `from`, or else from any line. The
    // answer is the sandbox's: docs/operations/sandbox.md. reasons::phone_permission_denied,
    // no_eligible_line, and rate_limited within limits::capability_check_interval of the
    // partner's last check that was answered.
    Async<bool> can_reach(PartnerId partner,
                          std::string address,
                          std::optional<std::string> from,
                          Service service);

private:
    Result<> take_turn(PartnerId partner);

    meta::Database& database_;
    const Clock& clock_;
    std::mutex mutex_;
    std::unordered_map<PartnerId, Time, IdHash> last_checks_;  // One for each partner at most.
};

}  // namespace satchel
