// The one backup that a running server makes at a time, and what became of the last.
#pragma once

#include "admin/metrics.hpp"
#include "app/data_folder.hpp"
#include "base/task_group.hpp"
#include "service/backup.hpp"
#include "service/scrubber.hpp"

#include <boost/json/object.hpp>

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>

namespace satchel::app {

// As commands and the admin API show it.
boost::json::object to_json(const BackupReport& report, const std::filesystem::path& folder);

// Locks the folder, checks that it may be used, makes the backup.
Async<BackupReport> back_up(BackupParts parts,
                            std::filesystem::path folder,
                            BackupProgress& progress);

// Used on one loop, but for what says otherwise.
class BackupJob {
public:
    explicit BackupJob(BackupParts parts) : parts_(std::move(parts)) {}

    // Errc::conflict while one runs.
    Result<> start(TaskGroup& group, std::filesystem::path folder);
    // {"state": "none"|"running"|"done"|"failed", ...}: docs/operations/admin-api.md.
    boost::json::object status() const;
    // Ends the one that runs soon.
    void stop() { progress_.stop = true; }

    // docs/operations/metrics.md. This outlives their use.
    void add_values(admin::Metrics& metrics);

private:
    Task<> run();

    BackupParts parts_;
    BackupProgress progress_;
    std::filesystem::path folder_;
    std::optional<BackupReport> report_;
    std::string problem_;
    std::atomic<bool> is_running_{false};
    std::atomic<double> done_at_seconds_{0};  // Since 1970; of the last that succeeded.
};

void add_scrub_values(admin::Metrics& metrics, const Scrubber& scrubber);

}  // namespace satchel::app
