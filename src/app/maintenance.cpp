// satchel health, version and fsck.
#include "app/commands.hpp"
#include "app/data_folder.hpp"
#include "app/run_to_end.hpp"
#include "app/store_paths.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "blob/file_store.hpp"
#include "build_info.hpp"
#include "crypto/key_ring.hpp"
#include "meta/sqlite.hpp"
#include "service/fsck.hpp"

#include <fmt/core.h>
#include <openssl/crypto.h>
#include <spdlog/version.h>
#include <sqlite3.h>
#include <zlib.h>

#include <boost/json.hpp>
#include <boost/version.hpp>

namespace satchel::app {
namespace {

namespace json = boost::json;

constexpr std::size_t fsck_threads = 2;

std::string dotted(int major, int minor, int patch) {
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

json::object library_versions() {
    return {
        {"boost", dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)},
        {"openssl", ::OpenSSL_version(OPENSSL_VERSION_STRING)},
        {"sqlite", ::sqlite3_libversion()},
        {"zlib", ::zlibVersion()},
        {"spdlog", dotted(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)},
        {"fmt", dotted(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)}};
}

json::object render(const FsckReport& report) {
    json::array findings;
    for (const FsckFinding& finding : report.findings) {
        findings.push_back(json::object{{"kind", finding.kind},
                                        {"subject", finding.subject},
                                        {"detail", finding.detail},
                                        {"repaired", finding.repaired}});
    }
    return {{"clean", report.clean()},
            {"attachments", report.attachments},
            {"blobs", report.blobs},
            {"bytes", report.bytes},
            {"audit_entries", report.audit_entries},
            {"findings", std::move(findings)}};
}

void print_report(const FsckReport& report) {
    print("checked " + std::to_string(report.attachments) + " attachments and " +
          std::to_string(report.blobs) + " blobs, decrypted " + human_size(report.bytes) + ": " +
          (report.clean() ? "all is well\n" : std::to_string(report.findings.size()) + " found\n"));
    if (report.clean()) return;
    Table table{{"FINDING", "SUBJECT", "DETAIL"}, {}};
    for (const FsckFinding& finding : report.findings) {
        table.rows.push_back({finding.kind, printable(finding.subject), finding.detail});
    }
    print("\n");
    print_table(table);
}

// Everything is opened before anything runs, in the order it must be destroyed in reverse.
Result<FsckReport> check_store(const StorePaths& paths, Repair repair, Structures structures) {
    TRY(const crypto::KeyRing keys, read_keys(paths));
    Loop loop(1);
    BlockingPool pool(fsck_threads);
    const auto disk = blob::make_posix_disk();
    TRY(const auto blobs, blob::FileStore::open(paths.blobs, pool, *disk));
    // Who repairs has the folder to itself.
    const auto access = repair == Repair::yes ? meta::Access::read_write : meta::Access::read_only;
    TRY(const auto database,
        meta::open_sqlite({.file = paths.sqlite, .access = access, .keys = &keys}));
    TRY(FsckReport report, run_to_end(loop, fsck(*database, *blobs, keys, repair, structures)));
    // What a rotation meanwhile wrapped under a newer version is no finding.
    TRY(const crypto::KeyRing now, read_keys(paths));
    if (report.clean() || now.version() == keys.version()) return report;
    return run_to_end(loop, fsck(*database, *blobs, now, repair, structures));
}

}  // namespace

Result<int> run_health(const AdminOptions& options) {
    TRY(AdminAccess access, find_server(options.server));
    TRY(const AdminAnswer answer, AdminClient(std::move(access)).ask("GET", "/health"));
    const auto* failing = answer.body.if_contains("failing");
    const bool is_ready = answer.status == 200;
    if (!is_ready && failing == nullptr) {
        return refuse("the admin API answered " + std::to_string(answer.status) +
                      "; check SATCHEL_ADMIN_TOKEN");
    }
    if (options.format == Format::json) {
        print(json::serialize(answer.body) + "\n");
        return is_ready ? 0 : 1;
    }
    if (!is_ready) {
        return refuse("not ready: " + std::string(failing->as_string()) +
                      " does not answer; see the server's log");
    }
    print("ready\n");
    const auto* problems = answer.body.if_contains("media_problems");
    if (problems == nullptr || !problems->is_array()) return 0;
    for (const json::value& problem : problems->get_array()) {
        print("media: " + std::string(problem.as_string()) + "\n");
    }
    return 0;
}

Result<int> run_version(Format format) {
    const std::string commit = *SATCHEL_COMMIT == '\0' ? "unknown" : SATCHEL_COMMIT;
    const json::object libraries = library_versions();
    if (format == Format::json) {
        const json::object all{{"version", SATCHEL_VERSION},
                               {"commit", commit},
                               {"compiler", SATCHEL_COMPILER},
                               {"libraries", libraries}};
        print(json::serialize(all) + "\n");
        return 0;
    }
    std::string text = "satchel " SATCHEL_VERSION "\n";
    text += "commit     " + commit + "\ncompiler   " SATCHEL_COMPILER "\nlibraries ";
    std::string separator = " ";
    for (const auto& [name, version] : libraries) {
        text += separator + std::string(name) + " " + std::string(version.as_string());
        separator = ", ";
    }
    print(text + "\n");
    return 0;
}

Result<int> run_fsck(const FsckOptions& options) {
    log::set_level(log::Level::off);
    TRY(const StorePaths paths, find_store(options.store));
    // A running server is no hindrance to looking, but only one process may change a store.
    auto lock = FolderLock::take(paths.folder);
    const bool is_in_use = !lock && lock.error().code == Errc::conflict;
    if (options.repair && is_in_use) {
        return refuse("a server runs on " + paths.folder.string() +
                          "; stop it, then run satchel fsck --repair again",
                      Errc::conflict);
    }
    if (options.repair && !lock) return std::unexpected(std::move(lock).error());
    // Who only looks keeps nobody from starting a server.
    if (!options.repair) lock = fail(Errc::unavailable, "not needed");
    TRY(const FsckReport report, check_store(paths, options.repair ? Repair::yes : Repair::no,
                                             is_in_use ? Structures::leave : Structures::check));
    if (options.format == Format::json) {
        print(json::serialize(render(report)) + "\n");
    } else {
        print_report(report);
    }
    return report.clean() ? 0 : 1;
}

}  // namespace satchel::app
