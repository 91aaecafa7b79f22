#include "app/backup_job.hpp"

#include "app/output.hpp"
#include "base/log.hpp"
#include "service/audit.hpp"

#include <boost/json.hpp>

namespace satchel::app {

namespace fs = std::filesystem;
namespace json = boost::json;

json::object to_json(const BackupReport& report, const fs::path& folder) {
    const BackupManifest& manifest = report.manifest;
    return {{"folder", folder.string()},
            {"made_at", to_rfc3339(manifest.made_at)},
            {"attachments", manifest.attachments},
            {"blobs", manifest.blobs},
            {"bytes", manifest.blob_bytes + manifest.database_bytes},
            {"copied_blobs", report.copied_blobs},
            {"copied_bytes", report.copied_bytes},
            {"removed_blobs", report.removed_blobs},
            {"audit", {{"seq", manifest.audit_end.seq}, {"hash", to_hex(manifest.audit_end.hash)}}},
            {"lost", json::value_from(manifest.lost)}};
}

Async<BackupReport> back_up(BackupParts parts, fs::path folder, BackupProgress& progress) {
    CO_TRY(const AuditStart start, co_await audit_start(parts.database));
    CO_TRY(const FolderLock lock,
           co_await run_blocking(parts.pool, [&parts, &folder, &start]() -> Result<FolderLock> {
               CHECK(check_backup_folder(folder, parts.blobs, start.key));
               return FolderLock::take(folder);
           }));
    co_return co_await make_backup(parts, folder, progress);
}

Result<> BackupJob::start(TaskGroup& group, fs::path folder) {
    if (is_running_) {
        return refuse("a backup runs already, to " + folder_.string(), Errc::conflict);
    }
    is_running_ = true;
    progress_.blobs = 0;
    progress_.bytes = 0;
    report_.reset();
    problem_.clear();
    folder_ = std::move(folder);
    group.spawn("backup", run());
    return {};
}

Task<> BackupJob::run() {
    log::info("backup_started", {{"folder", folder_.string()}});
    auto report = co_await back_up(parts_, folder_, progress_);
    if (report) {
        report_ = *std::move(report);
        done_at_seconds_ = static_cast<double>(to_micros(report_->manifest.made_at)) / 1e6;
        log::info("backup_done", {{"folder", folder_.string()},
                                  {"blobs", report_->manifest.blobs},
                                  {"copied_bytes", report_->copied_bytes}});
    } else {
        problem_ = operator_message(report.error());
        log::error("backup_failed", {{"folder", folder_.string()}, {"detail", problem_}});
    }
    is_running_ = false;
}

void BackupJob::add_values(admin::Metrics& metrics) {
    metrics.gauge("satchel_backup_running", "1 while a backup is made.",
                  [this] { return is_running_ ? 1.0 : 0.0; });
    metrics.gauge("satchel_backup_last_success_timestamp_seconds",
                  "When the last backup since the start of the server was made; 0: none.",
                  [this] { return done_at_seconds_.load(); });
}

void add_scrub_values(admin::Metrics& metrics, const Scrubber& scrubber) {
    metrics.counter("satchel_scrub_bytes_total", "Bytes that the scrubber has read and found true.",
                    [&scrubber] { return static_cast<double>(scrubber.totals().bytes); });
    metrics.counter("satchel_scrub_attachments_total", "Attachments that the scrubber looked at.",
                    [&scrubber] { return static_cast<double>(scrubber.totals().attachments); });
    metrics.counter("satchel_scrub_errors_total",
                    "Attachments in which it found something missing or damaged.",
                    [&scrubber] { return static_cast<double>(scrubber.totals().errors); });
    metrics.gauge("satchel_scrub_last_pass_timestamp_seconds",
                  "When the scrubber last had seen everything; 0: never.",
                  [&scrubber] { return scrubber.totals().passed_at_seconds; });
}

json::object BackupJob::status() const {
    if (is_running_) {
        return {{"state", "running"},
                {"folder", folder_.string()},
                {"blobs", progress_.blobs.load()},
                {"bytes", progress_.bytes.load()}};
    }
    if (report_) return {{"state", "done"}, {"report", to_json(*report_, folder_)}};
    if (problem_.empty()) return {{"state", "none"}};
    return {{"state", "failed"}, {"folder", folder_.string()}, {"problem", problem_}};
}

}  // namespace satchel::app
