// What the sweeper of a server does, and the numbers it shows about that.
#pragma once

#include "admin/metrics.hpp"
#include "app/sweeper.hpp"
#include "service/attachment_service.hpp"
#include "service/deletion_service.hpp"
#include "service/message_expiry.hpp"
#include "service/retention_service.hpp"

#include <vector>

namespace satchel::app {

// What they use must outlive them. docs/operations/retention.md.
std::vector<Chore> make_chores(AttachmentService& attachments,
                               DeletionService& deletions,
                               MessageExpiry& message_expiry,
                               RetentionService& retention);

void add_sweeper_metrics(admin::Metrics& metrics, const Sweeper& sweeper);

}  // namespace satchel::app
