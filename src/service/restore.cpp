#include "service/restore.hpp"

#include "base/limits.hpp"
#include "blob/file_copy.hpp"
#include "blob/file_store.hpp"
#include "meta/sqlite.hpp"
#include "meta/sqlite_rewrite.hpp"
#include "meta/stored_blobs.hpp"
#include "service/audit.hpp"

#include <unistd.h>

#include <memory>

namespace satchel {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> refused(Errc code, const std::string& message) {
    return std::unexpected(Error{code, nullptr, message, message});
}

class Stager {
public:
    Stager(RestoreParts parts, fs::path folder, BackupManifest manifest, StagedPaths staged)
        : parts_(parts),
          folder_(std::move(folder)),
          manifest_(std::move(manifest)),
          staged_(std::move(staged)),
          copier_(parts_.disk, folder_ / backup_blobs_name, staged_.blobs) {}

    Async<StagedStore> run(std::vector<AuditLink> ledger);

private:
    Result<> copy_database();
    Result<> open_database();
    Result<> rewrite_database();
    Async<> check_identity();
    Async<> copy_blobs();
    Async<> finish();

    template <class Work>
    auto blocking(Work work) {
        return run_blocking(parts_.pool, std::move(work));
    }

    RestoreParts parts_;
    const fs::path folder_;
    const BackupManifest manifest_;
    const StagedPaths staged_;
    blob::FileCopier copier_;
    std::unique_ptr<meta::Database> database_;
    StagedStore out_;
};

Async<StagedStore> Stager::run(std::vector<AuditLink> ledger) {
    CO_CHECK(co_await blocking([this] { return copy_database(); }));
    CO_CHECK(co_await blocking([this] { return open_database(); }));
    CO_CHECK(co_await check_identity());
    CO_TRY(out_.ledger, co_await apply_ledger(*database_, ledger));
    CO_CHECK(co_await copy_blobs());
    CO_CHECK(co_await forget_removed_blobs(*database_));
    CO_CHECK(co_await blocking([this] { return rewrite_database(); }));
    CO_CHECK(co_await finish());
    co_return std::move(out_);
}

Result<> Stager::copy_database() {
    CHECK(remove_staged(staged_));
    const fs::path from = folder_ / manifest_.database;
    std::error_code error;
    if (!fs::copy_file(from, staged_.database, error)) {
        return refused(Errc::unavailable, "cannot copy " + from.string() + ": " + error.message());
    }
    fs::permissions(staged_.database, fs::perms::owner_read | fs::perms::owner_write, error);
    TRY(const FileDigest digest, sync_and_digest(staged_.database));
    if (digest.bytes == manifest_.database_bytes && digest.sha256 == manifest_.database_sha256) {
        return copier_.open();
    }
    return refused(Errc::corrupt, from.string() +
                                      " was changed after the backup was made: use "
                                      "another copy of the backup");
}

Result<> Stager::open_database() {
    TRY(database_, meta::open_sqlite({.file = staged_.database, .keys = &parts_.keys}));
    return {};
}

// An engine that moves rows between pages leaves copies of them in free space, which the deletions
// of the ledger do not reach.
Result<> Stager::rewrite_database() {
    database_.reset();
    const fs::path rewritten = staged_.database.string() + "-new";
    std::error_code error;
    fs::remove(rewritten, error);
    CHECK(meta::rewrite_sqlite(staged_.database, rewritten));
    CHECK(destroy_file(staged_.database));
    // The old file's log is not the new one's.
    for (const char* suffix : {"-wal", "-shm"}) {
        fs::remove(staged_.database.string() + suffix, error);
        if (error) return refused(Errc::unavailable, "cannot remove the log of a copy");
    }
    fs::rename(rewritten, staged_.database, error);
    if (error) return refused(Errc::unavailable, "cannot rename " + rewritten.string());
    return open_database();
}

Async<> Stager::check_identity() {
    CO_TRY(const AuditStart start, co_await audit_start(*database_));
    CO_TRY(const AuditPosition end, co_await audit_end_of(*database_));
    if (start.key == manifest_.audit_key && end == manifest_.audit_end) co_return Result<>{};
    co_return refused(Errc::corrupt, (folder_ / backup_manifest_name).string() +
                                         " does not fit its database: use another copy");
}

// What is absent or damaged is for the check to say.
Async<> Stager::copy_blobs() {
    BlobId after;
    while (true) {
        CO_TRY(const auto page, co_await database_->read([after](meta::Session& session) {
            return meta::stored_blobs_after(session, after, limits::backup_page_max);
        }));
        if (page.empty()) break;
        CO_CHECK(co_await blocking([this, &page]() -> Result<> {
            for (const meta::StoredBlob& stored : page) {
                CHECK(copier_.copy(stored.blob, stored.size_bytes));
            }
            return {};
        }));
        out_.blobs += page.size();
        after = page.back().blob;
    }
    CO_CHECK(co_await blocking([this] { return copier_.finish(); }));
    out_.bytes = copier_.bytes_copied();
    co_return Result<>{};
}

Async<> Stager::finish() {
    {
        CO_TRY(const auto blobs, co_await blocking([this] {
                   return blob::FileStore::open(staged_.blobs, parts_.pool, parts_.disk);
               }));
        CO_TRY(out_.check, co_await fsck(*database_, *blobs, parts_.keys, Repair::no));
    }
    co_return co_await blocking([this]() -> Result<> {
        database_.reset();  // Takes its log into the file.
        CHECK(sync_and_digest(staged_.database));
        return sync_folder(staged_.database.parent_path());
    });
}

}  // namespace

Result<> remove_staged(const StagedPaths& staged) {
    std::error_code error;
    for (const char* suffix : {"", "-wal", "-shm", "-new", "-new-journal"}) {
        fs::remove(staged.database.string() + suffix, error);
        if (error) break;
    }
    if (!error) fs::remove_all(staged.blobs, error);
    if (!error) return {};
    return refused(Errc::unavailable, "cannot remove " + staged.database.string() + " or " +
                                          staged.blobs.string() + ": " + error.message());
}

Async<StagedStore> stage_backup(RestoreParts parts,
                                fs::path folder,
                                BackupManifest manifest,
                                std::vector<AuditLink> ledger,
                                StagedPaths staged) {
    Stager stager(parts, std::move(folder), std::move(manifest), std::move(staged));
    auto out = co_await stager.run(std::move(ledger));
    if (!out && out.error().message.empty()) {
        out.error().message = "the restore failed: " + out.error().detail;
    }
    co_return out;
}

}  // namespace satchel
