#include "service/backup.hpp"

#include "base/limits.hpp"
#include "blob/file_copy.hpp"
#include "blob/file_store.hpp"
#include "meta/attachments.hpp"
#include "meta/renditions.hpp"
#include "meta/sqlite.hpp"
#include "meta/stored_blobs.hpp"
#include "model/ids.hpp"
#include "service/audit.hpp"
#include "service/ledger.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <span>
#include <unordered_set>
#include <vector>

namespace satchel {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view database_prefix = "satchel-";
constexpr std::string_view lock_name = "lock";
// Copied in one stretch on one thread of the pool.
constexpr std::uint64_t stretch_bytes = 8 * limits::MiB;

std::unexpected<Error> refused(Errc code, const std::string& message) {
    return std::unexpected(Error{code, nullptr, message, message});
}

// Database copies of this and earlier backups, with what SQLite keeps beside them.
Result<std::vector<fs::path>> database_files(const fs::path& folder) {
    std::vector<fs::path> out;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().filename().string().starts_with(database_prefix)) {
            out.push_back(entry.path());
        }
    }
    if (error) return refused(Errc::unavailable, "cannot read " + folder.string());
    return out;
}

class Maker {
public:
    Maker(BackupParts parts, fs::path folder, BackupProgress& progress)
        : parts_(std::move(parts)),
          folder_(std::move(folder)),
          blobs_folder_(folder_ / backup_blobs_name),
          progress_(progress),
          copier_(parts_.disk, parts_.blobs, blobs_folder_) {}

    Async<BackupReport> run();

private:
    using Absent = std::vector<meta::StoredBlob>;

    Async<> prepare();
    Async<Absent> copy_blobs_of(meta::Database& database);
    Async<std::size_t> copy_some(std::span<const meta::StoredBlob> blobs, Absent& absent);
    Result<> copy_blob(const meta::StoredBlob& stored, Absent& absent);
    Async<> copy_database();
    Async<> agree();
    Async<bool> apply_deletions();
    Async<> explain_absent(const meta::StoredBlob& stored);
    Async<> adopt(const meta::AttachmentRow& live);
    Async<> count();
    Async<std::vector<BlobId>> without_owner();
    Async<> finish();
    Async<> remove_leftovers(const std::vector<BlobId>& blobs);

    template <class Work>
    auto blocking(Work work) {
        return run_blocking(parts_.pool, std::move(work));
    }

    BackupParts parts_;
    const fs::path folder_;
    const fs::path blobs_folder_;
    BackupProgress& progress_;
    blob::FileCopier copier_;
    fs::path database_file_;
    std::unique_ptr<meta::Database> copy_;
    AuditPosition end_;  // Of the copy's audit.
    std::unordered_set<BlobId, IdHash> lost_blobs_;
    std::set<std::string> lost_;  // Attachments.
    BackupReport report_;
};

Async<BackupReport> Maker::run() {
    CO_CHECK(co_await prepare());
    CO_CHECK(co_await copy_blobs_of(parts_.database));
    CO_CHECK(co_await copy_database());
    CO_CHECK(co_await agree());
    CO_CHECK(co_await count());
    CO_TRY(const auto leftovers, co_await without_owner());
    CO_CHECK(co_await finish());
    CO_CHECK(co_await remove_leftovers(leftovers));
    report_.copied_bytes = copier_.bytes_copied();
    co_return report_;
}

// The key is the store's own, so that a folder is never shared by two.
Async<> Maker::prepare() {
    CO_TRY(const AuditStart start, co_await audit_start(parts_.database));
    report_.manifest.audit_key = start.key;
    co_return co_await blocking([this]() -> Result<> {
        TRY(const auto earlier, read_manifest(folder_));
        if (!earlier) CHECK(write_manifest(folder_, BackupManifest{}));
        return copier_.open();
    });
}

Async<Maker::Absent> Maker::copy_blobs_of(meta::Database& database) {
    Absent absent;
    BlobId after;
    while (true) {
        CO_TRY(const auto page, co_await database.read([after](meta::Session& session) {
            return meta::stored_blobs_after(session, after, limits::backup_page_max);
        }));
        if (page.empty()) break;
        for (auto rest = std::span(page); !rest.empty();) {
            CO_TRY(const std::size_t done, co_await copy_some(rest, absent));
            rest = rest.subspan(done);
        }
        after = page.back().blob;
    }
    CO_CHECK(co_await blocking([this] { return copier_.finish(); }));
    co_return absent;
}

// The first of `blobs`, at least one, as much as may be done before somebody looks whether to stop.
// Returns how many.
Async<std::size_t> Maker::copy_some(std::span<const meta::StoredBlob> blobs, Absent& absent) {
    if (progress_.stop) {
        co_return refused(Errc::unavailable, "the backup was stopped; make it again");
    }
    co_return co_await blocking([this, blobs, &absent]() -> Result<std::size_t> {
        const std::uint64_t before = copier_.bytes_copied();
        std::size_t done = 0;
        while (done < blobs.size() && copier_.bytes_copied() - before < stretch_bytes) {
            const meta::StoredBlob& stored = blobs[done++];
            CHECK(copy_blob(stored, absent));
            ++progress_.blobs;
        }
        progress_.bytes = copier_.bytes_copied();
        return done;
    });
}

Result<> Maker::copy_blob(const meta::StoredBlob& stored, Absent& absent) {
    if (lost_blobs_.contains(stored.blob)) return {};
    TRY(const auto outcome, copier_.copy(stored.blob, stored.size_bytes));
    if (outcome == blob::FileCopier::Outcome::copied) ++report_.copied_blobs;
    if (outcome == blob::FileCopier::Outcome::absent) absent.push_back(stored);
    return {};
}

Async<> Maker::copy_database() {
    report_.manifest.made_at = parts_.clock.now();
    report_.manifest.database = std::string(database_prefix) + BlobId::random().str() + ".db";
    database_file_ = folder_ / report_.manifest.database;
    CO_CHECK(co_await parts_.database.copy_to(database_file_));
    CO_TRY(copy_, co_await blocking([this] {
               return meta::open_sqlite({.file = database_file_, .keys = &parts_.keys});
           }));
    CO_TRY(end_, co_await audit_end_of(*copy_));
    co_return Result<>{};
}

// Rows of the copy whose bytes went before they were copied: deleted, or replaced by a later
// upload. What has happened to them is brought into the copy, and what came instead is copied.
Async<> Maker::agree() {
    for (std::size_t round = 0; round < limits::backup_rounds_max; ++round) {
        CO_TRY(const Absent absent, co_await copy_blobs_of(*copy_));
        CO_CHECK(co_await apply_deletions());
        if (absent.empty()) co_return Result<>{};
        for (const meta::StoredBlob& stored : absent) {
            CO_CHECK(co_await explain_absent(stored));
        }
    }
    co_return refused(Errc::unavailable,
                      "uploads were replaced faster than they could be copied; make the backup "
                      "again at a quieter time");
}

Async<bool> Maker::apply_deletions() {
    bool any = false;
    while (true) {
        CO_TRY(const auto links, co_await audit_page(parts_.database, end_.seq));
        if (links.empty()) co_return any;
        any = true;
        CO_CHECK(co_await apply_ledger(*copy_, links));
        end_ = {links.back().seq, links.back().hash};
    }
}

Async<> Maker::explain_absent(const meta::StoredBlob& stored) {
    const BlobId blob = stored.blob;
    const auto owner_in = [blob](meta::Session& session) {
        return meta::owner_of_blob(session, blob);
    };
    CO_TRY(const auto owner, co_await copy_->read(owner_in));
    if (!owner) co_return Result<>{};
    // A row goes before its bytes do: if it is still the live one, its bytes are lost.
    CO_TRY(const auto live_owner, co_await parts_.database.read(owner_in));
    if (live_owner) {
        lost_blobs_.insert(blob);
        lost_.insert(live_owner->str());
        co_return Result<>{};
    }
    if (stored.is_rendition) {
        co_return co_await copy_->write(
            [blob](meta::Session& session) { return meta::forget_rendition(session, blob); });
    }
    CO_TRY(const auto live, co_await parts_.database.read([id = *owner](meta::Session& session) {
        return meta::find_stored_attachment(session, id);
    }));
    if (!live) co_return Result<>{};  // Its deletion is in the ledger of the next round.
    co_return co_await adopt(*live);
}

Async<> Maker::adopt(const meta::AttachmentRow& live) {
    co_return co_await copy_->write([live](meta::Session& session) -> Result<> {
        std::vector<BlobId> replaced;
        TRY([[maybe_unused]] const auto stored,
            meta::store_upload(session,
                               {.id = live.id,
                                .state = live.state,
                                .blob = live.blob,
                                .sweep_at = live.sweep_at,
                                .detected_type = live.detected_type,
                                .contradicts_type = live.contradicts_type,
                                .is_unscanned = live.is_unscanned},
                               replaced));
        return {};
    });
}

Async<> Maker::count() {
    BackupManifest& manifest = report_.manifest;
    BlobId after;
    while (true) {
        CO_TRY(const auto page, co_await copy_->read([after](meta::Session& session) {
            return meta::stored_blobs_after(session, after, limits::backup_page_max);
        }));
        if (page.empty()) break;
        for (const meta::StoredBlob& stored : page) {
            ++manifest.blobs;
            if (!stored.is_rendition) ++manifest.attachments;
            manifest.blob_bytes += blob::FileCopier::file_bytes(stored.size_bytes);
        }
        after = page.back().blob;
        co_await yield();
    }
    co_return co_await forget_removed_blobs(*copy_);
}

Async<std::vector<BlobId>> Maker::without_owner() {
    CO_TRY(const auto store, co_await blocking([this] {
               return blob::FileStore::open(blobs_folder_, parts_.pool, parts_.disk);
           }));
    CO_TRY(const auto listing, co_await store->list());
    std::vector<BlobId> found;
    for (const BlobId blob : listing.blobs) {
        CO_TRY(const auto owner, co_await copy_->read([blob](meta::Session& session) {
            return meta::owner_of_blob(session, blob);
        }));
        if (!owner) found.push_back(blob);
    }
    co_return found;
}

Async<> Maker::finish() {
    report_.manifest.audit_end = end_;
    report_.manifest.lost.assign(lost_.begin(), lost_.end());
    report_.manifest.complete = true;
    co_return co_await blocking([this]() -> Result<> {
        copy_.reset();  // Takes its log into the file.
        TRY(const FileDigest digest, sync_and_digest(database_file_));
        report_.manifest.database_bytes = digest.bytes;
        report_.manifest.database_sha256 = digest.sha256;
        CHECK(sync_folder(folder_));
        return write_manifest(folder_, report_.manifest);
    });
}

// The keys of what was deleted stand in the earlier copies of the database: they are overwritten.
Async<> Maker::remove_leftovers(const std::vector<BlobId>& blobs) {
    CO_TRY(const auto store, co_await blocking([this] {
               return blob::FileStore::open(blobs_folder_, parts_.pool, parts_.disk);
           }));
    for (const BlobId blob : blobs) CO_CHECK(co_await store->remove(blob));
    // What a backup that was cut has left half copied.
    CO_TRY(const auto half, co_await store->unconfirmed());
    for (const BlobId blob : half) CO_CHECK(co_await store->remove(blob));
    CO_CHECK(co_await store->sync_removals());
    report_.removed_blobs = blobs.size();
    co_return co_await blocking([this]() -> Result<> {
        TRY(const auto files, database_files(folder_));
        for (const fs::path& file : files) {
            if (file != database_file_) CHECK(destroy_file(file));
        }
        return sync_folder(folder_);
    });
}

}  // namespace

Result<> check_backup_folder(const fs::path& folder, const fs::path& blobs, const AuditKey& key) {
    std::error_code error;
    const fs::path there = fs::weakly_canonical(folder, error);
    const fs::path store = fs::weakly_canonical(blobs, error);
    const auto inside = std::ranges::mismatch(store, there);
    if (inside.in1 == store.end()) {
        return refused(Errc::conflict, folder.string() +
                                           " is inside the store itself: choose "
                                           "another folder, best another disk");
    }
    if (!fs::exists(folder, error)) return {};
    if (!fs::is_directory(folder, error)) {
        return refused(Errc::conflict, folder.string() + " is not a folder: choose another");
    }
    TRY(const auto earlier, read_manifest(folder));
    if (earlier) {
        if (!earlier->complete || earlier->audit_key == key) return {};
        return refused(Errc::conflict, folder.string() +
                                           " holds the backup of another store: "
                                           "choose another folder");
    }
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().filename() == lock_name) continue;
        return refused(Errc::conflict, folder.string() +
                                           " holds something that is no backup: "
                                           "choose an empty or a new folder");
    }
    return {};
}

Async<BackupReport> make_backup(BackupParts parts, fs::path folder, BackupProgress& progress) {
    Maker maker(std::move(parts), std::move(folder), progress);
    auto report = co_await maker.run();
    if (!report && report.error().message.empty()) {
        report.error().message = "the backup failed: " + report.error().detail;
    }
    co_return report;
}

}  // namespace satchel
