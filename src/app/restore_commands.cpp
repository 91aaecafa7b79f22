// satchel restore.
#include "app/commands.hpp"
#include "app/ledger_source.hpp"
#include "app/restore_swap.hpp"
#include "app/run_to_end.hpp"
#include "app/store_paths.hpp"
#include "base/log.hpp"
#include "service/restore.hpp"

#include <boost/json.hpp>

namespace satchel::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t restore_threads = 2;

struct Outcome {
    BackupManifest manifest;
    StagedStore staged;
    std::optional<Time> ledger_issued_at;
    std::vector<fs::path> replaced;
    bool in_place = false;
};

Result<BackupManifest> open_backup(const fs::path& folder) {
    TRY(auto manifest, read_manifest(folder));
    if (!manifest) {
        return refuse(folder.string() + " holds no backup: there is no " +
                          std::string(backup_manifest_name) + " in it",
                      Errc::not_found);
    }
    if (!manifest->complete) {
        return refuse(folder.string() + " holds a backup that was never finished: use another",
                      Errc::corrupt);
    }
    return *std::move(manifest);
}

// Names the default folder, so that no server elsewhere is asked.
ServerChoice on_this_machine(const ServerChoice& choice) {
    if (!choice.data.empty() || !choice.config.empty()) return choice;
    return {.data = std::string(default_data_folder), .config = {}};
}

Result<Ledger> read_ledger(const RestoreOptions& options,
                           const StorePaths& paths,
                           const LedgerBase& base) {
    std::error_code error;
    const bool has_store = fs::exists(paths.sqlite, error);
    if (options.ledger.empty() && !has_store) {
        return refuse(
            "nothing here says what was deleted since the backup: give the latest "
            "export of the audit with --ledger FILE, or say --without-ledger",
            Errc::not_found);
    }
    if (options.ledger.empty()) return read_ledger_store(on_this_machine(options.store), base);
    TRY(Ledger ledger, read_ledger_file(options.ledger, base));
    if (!has_store) return ledger;
    // A store that is damaged is what restores are for: then the file alone has to do.
    auto of_store = read_ledger_store(on_this_machine(options.store), base);
    if (!of_store) return ledger;
    return join(std::move(ledger), *std::move(of_store));
}

Result<crypto::KeyRing> open_keys(const StorePaths& paths) {
    auto keys = read_keys(paths);
    if (keys || keys.error().code != Errc::not_found) return keys;
    return refuse("the backup cannot be read without its master key: put that to " +
                      paths.master_key.string() + " first",
                  Errc::not_found);
}

Result<> make_parents(const StorePaths& paths) {
    for (const fs::path& path : {paths.sqlite, paths.blobs}) {
        std::error_code error;
        const fs::path parent = fs::absolute(path).parent_path();
        fs::create_directories(parent, error);
        if (error) {
            return refuse("cannot make " + parent.string() + ": " + error.message(),
                          Errc::unavailable);
        }
    }
    return {};
}

std::string stamp_of(Time time) {
    std::string text = to_rfc3339_seconds(time);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

Result<Outcome> stage(const RestoreOptions& options,
                      const StorePaths& paths,
                      const crypto::KeyRing& keys) {
    Outcome out;
    TRY(out.manifest, open_backup(options.folder));
    Ledger ledger;
    if (!options.without_ledger) {
        TRY(ledger, read_ledger(options, paths, {out.manifest.audit_key, out.manifest.audit_end}));
        out.ledger_issued_at = ledger.issued_at;
    }
    CHECK(make_parents(paths));
    Loop loop(1);
    BlockingPool pool(restore_threads);
    const auto disk = blob::make_posix_disk();
    TRY(out.staged, run_to_end(loop, stage_backup({keys, pool, *disk}, options.folder, out.manifest,
                                                  std::move(ledger.links), staged_paths(paths))));
    return out;
}

Result<Outcome> restore(const RestoreOptions& options, const StorePaths& paths) {
    TRY(const FolderLock lock, FolderLock::take(paths.folder));
    TRY(const bool finished, finish_swap(paths));
    if (finished) {
        return refuse(
            "an earlier restore had been interrupted and is finished now; run this one "
            "again if it was another",
            Errc::conflict);
    }
    if (is_occupied(paths) && !options.replace && !options.check) {
        return refuse("there is a store at " + paths.folder.string() +
                          ": say --replace to have it moved aside",
                      Errc::conflict);
    }
    TRY(const crypto::KeyRing keys, open_keys(paths));
    auto out = stage(options, paths, keys);
    const bool takes_it = out && (out->staged.check.clean() || options.accept_damage);
    if (!takes_it || options.check) CHECK(remove_staged(staged_paths(paths)));
    if (!takes_it || options.check) return out;
    TRY(out->replaced, swap_in(paths, staged_paths(paths), stamp_of(Clock().now())));
    out->in_place = true;
    return out;
}

json::object render(const Outcome& out) {
    json::array findings;
    for (const FsckFinding& each : out.staged.check.findings) {
        findings.push_back(
            json::object{{"kind", each.kind}, {"subject", each.subject}, {"detail", each.detail}});
    }
    json::array replaced;
    for (const fs::path& path : out.replaced) replaced.push_back(json::value(path.string()));
    json::object ledger{{"entries", out.staged.ledger.entries},
                        {"deleted", out.staged.ledger.deleted},
                        {"issued_at", nullptr}};
    if (out.ledger_issued_at) ledger["issued_at"] = to_rfc3339(*out.ledger_issued_at);
    return {{"restored", out.in_place},
            {"made_at", to_rfc3339(out.manifest.made_at)},
            {"attachments", out.staged.check.attachments},
            {"blobs", out.staged.blobs},
            {"bytes", out.staged.bytes},
            {"ledger", std::move(ledger)},
            {"findings", std::move(findings)},
            {"replaced", std::move(replaced)}};
}

void print_outcome(const Outcome& out) {
    const LedgerOutcome& ledger = out.staged.ledger;
    print((out.in_place ? "restored the backup of " : "verified the backup of ") +
          to_rfc3339_seconds(out.manifest.made_at) + ": " +
          std::to_string(out.staged.check.attachments) + " attachments, " +
          human_size(out.staged.bytes) + "\n");
    if (out.ledger_issued_at) {
        print("deleted again " + std::to_string(ledger.deleted) + " of " +
              std::to_string(ledger.entries) + " that the ledger of " +
              to_rfc3339_seconds(*out.ledger_issued_at) + " names\n");
    } else {
        print("without a ledger: what was deleted since is back\n");
    }
    if (!out.replaced.empty()) {
        print(
            "What stood there is kept; remove it when you are sure, since it holds what will be "
            "deleted from now on:\n");
        for (const fs::path& path : out.replaced) print("  " + path.string() + "\n");
    }
    if (out.staged.check.clean()) return;
    Table table{{"FINDING", "SUBJECT", "DETAIL"}, {}};
    for (const FsckFinding& each : out.staged.check.findings) {
        table.rows.push_back({each.kind, printable(each.subject), each.detail});
    }
    print("\n");
    print_table(table);
}

}  // namespace

Result<int> run_restore(const RestoreOptions& options) {
    log::set_level(log::Level::off);
    TRY(const StorePaths paths, store_paths(options.store));
    TRY(const Outcome out, restore(options, paths));
    const bool is_good = out.staged.check.clean() || options.accept_damage;
    if (options.format == Format::json) {
        print(json::serialize(render(out)) + "\n");
        return is_good ? 0 : 1;
    }
    print_outcome(out);
    if (is_good) return 0;
    return refuse(
        "the backup is damaged, nothing was replaced: use another copy of it, or say "
        "--accept-damage",
        Errc::corrupt);
}

}  // namespace satchel::app
