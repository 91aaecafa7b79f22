// Table edge_purges: deletions that the edge has yet to be told of. Each has a job.
//
// Functions run inside a Database::read or ::write.
#pragma once

#include "meta/database.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::meta {

// Kind of the jobs that tell: their subject is an edge_purges.seq.
inline constexpr std::string_view purge_job_kind = "purge";

struct EdgePurge {
    PartnerId partner;
    AttachmentId attachment;
    std::vector<std::string> forms;  // RenditionRow::form of what was there beside the content.
};
// In the transaction that removes the attachment. Adds the job.
Result<> insert_edge_purge(Session& session, const EdgePurge& purge, Time now);
Result<std::optional<EdgePurge>> find_edge_purge(Session& session, std::int64_t seq);
Result<> remove_edge_purge(Session& session, std::int64_t seq);

}  // namespace satchel::meta
