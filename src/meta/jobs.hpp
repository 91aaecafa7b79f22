// Table jobs: work that outlives the process that promised it.
#pragma once

#include "meta/database.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace satchel::meta {

struct Job {
    std::int64_t seq = 0;
    std::int64_t subject = 0;    // What `kind` says: for deliveries, messages.seq.
    std::uint32_t attempts = 0;  // With the one that begins.
};

// In the transaction that makes the work necessary.
Result<> enqueue_job(Session& session, std::string_view kind, std::int64_t subject, Time due);
// Takes jobs that are due, oldest first, and keeps them from others until `until`.
Result<std::vector<Job>> lease_jobs(
    Session& session, std::string_view kind, Time now, Time until, std::size_t max);
Result<> finish_job(Session& session, std::int64_t seq);
Result<> postpone_job(Session& session, std::int64_t seq, Time due);
// When the next job is due; leases count.
Result<std::optional<Time>> next_job_due(Session& session, std::string_view kind);
// Ends the leases that an earlier process left behind.
Result<> release_jobs(Session& session, std::string_view kind, Time now);
Result<std::uint64_t> count_jobs(Session& session, std::string_view kind);

}  // namespace satchel::meta
