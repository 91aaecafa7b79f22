// satchel backup.
#include "app/backup_job.hpp"
#include "app/commands.hpp"
#include "app/run_to_end.hpp"
#include "app/store_paths.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "meta/sqlite.hpp"

#include <unistd.h>

#include <boost/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <thread>

namespace satchel::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t backup_threads = 1;

// On a terminal only; the line is overwritten, and gone at the end.
class ProgressLine {
public:
    explicit ProgressLine(Format format)
        : is_shown_(format == Format::text && ::isatty(STDERR_FILENO) != 0) {}
    ~ProgressLine() {
        if (is_shown_) std::fputs("\r\033[K", stderr);
    }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(std::uint64_t blobs, std::uint64_t bytes) const {
        if (!is_shown_) return;
        std::fprintf(stderr, "\r\033[Kbacking up: %llu blobs seen, %s copied",
                     static_cast<unsigned long long>(blobs), human_size(bytes).c_str());
    }

private:
    bool is_shown_;
};

std::uint64_t number_in(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains(name);
    return value != nullptr && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

std::string text_in(const json::object& object, std::string_view name) {
    const auto* const value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
}

Result<json::object> ask_server(const AdminAccess& access,
                                const fs::path& folder,
                                const ProgressLine& progress) {
    const AdminClient client(access);
    TRY([[maybe_unused]] const auto begun,
        client.call("POST", "/backup", json::object{{"folder", folder.string()}}));
    while (true) {
        TRY(const json::object status, client.call("GET", "/backup"));
        const std::string state = text_in(status, "state");
        if (state == "failed") return refuse(text_in(status, "problem"), Errc::unavailable);
        const auto* const report = status.if_contains("report");
        if (report != nullptr && report->is_object()) return report->get_object();
        if (state != "running") {
            return refuse("the server was started anew; make the backup again", Errc::unavailable);
        }
        progress.show(number_in(status, "blobs"), number_in(status, "bytes"));
        std::this_thread::sleep_for(limits::backup_poll_interval);
    }
}

// The caller has locked the store's folder.
Result<json::object> make_here(const StorePaths& paths, const fs::path& folder) {
    TRY(const crypto::KeyRing keys, read_keys(paths));
    Loop loop(1);
    BlockingPool pool(backup_threads);
    const auto disk = blob::make_posix_disk();
    const Clock clock;
    TRY(const auto database, meta::open_sqlite({.file = paths.sqlite, .keys = &keys}));
    BackupProgress progress;
    const BackupParts parts{*database, keys, pool, *disk, paths.blobs, clock};
    TRY(const BackupReport report, run_to_end(loop, back_up(parts, folder, progress)));
    return to_json(report, folder);
}

Result<json::object> make(const ServerChoice& choice,
                          const fs::path& folder,
                          const ProgressLine& progress) {
    const bool is_named = !choice.data.empty() || !choice.config.empty();
    if (!is_named && std::getenv("SATCHEL_ADMIN_URL") != nullptr) {
        TRY(const AdminAccess access, find_server(choice));
        return ask_server(access, folder, progress);
    }
    TRY(const StorePaths paths, find_store(choice));
    auto lock = FolderLock::take(paths.folder);
    if (lock) return make_here(paths, folder);
    if (lock.error().code != Errc::conflict) return std::unexpected(std::move(lock).error());
    // Whoever has the folder is a server, or the error of before says who it is.
    const auto access = read_admin_file(paths.folder);
    if (!access) return std::unexpected(std::move(lock).error());
    return ask_server(*access, folder, progress);
}

}  // namespace

Result<int> run_backup(const BackupOptions& options) {
    log::set_level(log::Level::off);
    const fs::path folder = fs::absolute(options.folder).lexically_normal();
    const auto report = [&] {
        const ProgressLine progress(options.format);
        return make(options.store, folder, progress);
    }();
    if (!report) return std::unexpected(report.error());
    const auto* const lost = report->if_contains("lost");
    const std::size_t lost_count =
        lost != nullptr && lost->is_array() ? lost->get_array().size() : 0;
    if (options.format == Format::json) {
        print(json::serialize(*report) + "\n");
        return lost_count > 0 ? 1 : 0;
    }
    print("backed up " + std::to_string(number_in(*report, "attachments")) + " attachments, " +
          human_size(number_in(*report, "bytes")) + ", to " + folder.string() + "\n");
    print("copied " + std::to_string(number_in(*report, "copied_blobs")) + " blobs (" +
          human_size(number_in(*report, "copied_bytes")) + "), removed " +
          std::to_string(number_in(*report, "removed_blobs")) + " that the store has no more\n");
    print(
        "The master key is not in it: keep a copy of that elsewhere, or the backup is worth "
        "nothing.\n");
    if (lost_count == 0) return 0;
    return refuse("the store has lost the bytes of " + std::to_string(lost_count) +
                      " attachments, which the backup lacks, too; satchel fsck names them",
                  Errc::corrupt);
}

}  // namespace satchel::app
