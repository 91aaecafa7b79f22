// Tables partner_usage and partner_limits: what each partner has stored, and how much it may.
//
// The engine counts by itself, in the transaction that changes an attachment: usage is exact at
// every moment, in a write as in a read. Renditions are not counted.
//
// Functions run inside a Database::read or ::write.
#pragma once

#include "meta/database.hpp"
#include "model/ids.hpp"
#include "model/quota.hpp"

#include <cstdint>
#include <vector>

namespace satchel::meta {

struct Usage {
    PartnerId partner;
    std::uint64_t pending = 0;  // Attachments in this state, and so on.
    std::uint64_t complete = 0;
    std::uint64_t failed = 0;
    std::uint64_t pending_bytes = 0;  // As announced.
    std::uint64_t complete_bytes = 0;
    // What quotas are about. A failed upload has nothing.
    std::uint64_t files() const { return pending + complete; }
    std::uint64_t bytes() const { return pending_bytes + complete_bytes; }
    bool operator==(const Usage&) const = default;
};

// Zeros for a partner that never had an attachment.
struct UsageAndLimits {
    Usage usage;
    OwnLimits own;
};
Result<UsageAndLimits> usage_of(Session& session, PartnerId partner);

// Of every partner that ever had an attachment, in the order of their ids.
Result<std::vector<Usage>> all_usage(Session& session);
// The same, by reading every attachment; a partner without any is left out. For fsck.
Result<std::vector<Usage>> counted_usage(Session& session);
// Makes the first what the second is.
Result<> recount_usage(Session& session);

Result<> store_limits(Session& session, PartnerId partner, const OwnLimits& own);

}  // namespace satchel::meta
