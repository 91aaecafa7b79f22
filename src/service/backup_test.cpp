#include "service/backup.hpp"

#include "base/log.hpp"
#include "blob/file_store.hpp"
#include "meta/attachments.hpp"
#include "meta/partners.hpp"
#include "meta/renditions.hpp"
#include "meta/sqlite.hpp"
#include "service/fsck.hpp"
#include "service/restore.hpp"
#include "tests/support/forwarding_disk.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

namespace satchel {
namespace {

namespace fs = std::filesystem;
using test::run;

// Lets a test do something at a point of a backup.
class WatchedDisk final : public test::ForwardingDisk {
public:
    explicit WatchedDisk(blob::Disk& under) : ForwardingDisk(under) {}

    Result<blob::File> open(const std::string& path) override {
        if (before_open) {
            const auto answer = before_open(path);
            if (answer) std::exchange(before_open, {});
        }
        return ForwardingDisk::open(path);
    }
    Result<> sync_folder(const std::string& path) override {
        auto synced = ForwardingDisk::sync_folder(path);
        if (after_first_pass && path.ends_with("/incoming")) {
            std::exchange(after_first_pass, {})();
        }
        return synced;
    }

    Result<blob::File> create(const std::string& path) override {
        if (is_full) return fail(Errc::unavailable, "create: full");
        return ForwardingDisk::create(path);
    }

    bool is_full = false;
    std::function<bool(const std::string&)> before_open;  // True: it has done what it is for.
    std::function<void()> after_first_pass;
};

struct BackupTest : testing::Test {
    BackupTest() {
        log::set_level(log::Level::off);
        fs::create_directory(folder / "backup");
        const Partner owner{partner, "alice", Time{}, std::nullopt};
        EXPECT_TRUE(run(database->write(
            [owner](meta::Session& session) { return meta::insert_partner(session, owner); })));
    }
    ~BackupTest() override { log::set_level(log::Level::info); }

    test::TempFolder folder;
    const crypto::KeyRing keys = test::new_master_key();
    const PartnerId partner = PartnerId::random();
    const Clock clock;
    BlockingPool pool{2};
    std::unique_ptr<blob::Disk> posix = blob::make_posix_disk();
    WatchedDisk disk{*posix};
    std::unique_ptr<blob::Store> blobs = *blob::FileStore::open(folder / "blobs", pool, *posix);
    std::unique_ptr<meta::Database> database =
        *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});

    struct Stored {
        AttachmentId id;
        BlobId blob;
        crypto::Key key;
    };

    void write_blob(BlobId id, const crypto::Key& attachment_key) {
        auto writer = run(blobs->create(id, crypto::blob_key(attachment_key, id)));
        ASSERT_TRUE(writer);
        Bytes bytes(500, std::byte{7});
        ASSERT_TRUE(run((*writer)->append(bytes, crypto::Last::yes)));
        ASSERT_TRUE(run((*writer)->commit()));
        ASSERT_TRUE(run(blobs->confirm(id)));
    }
    Stored add() {
        const Stored stored{AttachmentId::random(), BlobId::random(), crypto::Key::random()};
        meta::AttachmentRow row;
        row.id = stored.id;
        row.partner = partner;
        crypto::WrappedKey wrapped = keys.wrap(stored.id, stored.key);
        row.wrapped_key = std::move(wrapped.bytes);
        row.key_version = wrapped.version;
        row.sealed_name =
            crypto::seal_once(crypto::name_key(stored.key), stored.id.bytes(), as_bytes("a.jpg"));
        row.content_type = "image/jpeg";
        row.size_bytes = 500;
        row.state = AttachmentState::complete;
        row.blob = stored.blob;
        write_blob(stored.blob, stored.key);
        EXPECT_TRUE(run(database->write(
            [row](meta::Session& session) { return meta::insert_attachment(session, row); })));
        return stored;
    }
    BlobId add_rendition(const Stored& stored) {
        const BlobId blob = BlobId::random();
        write_blob(blob, stored.key);
        EXPECT_TRUE(run(database->write([stored, blob](meta::Session& session) {
            return meta::insert_rendition(session, stored.id, stored.blob,
                                          {.form = "jpeg",
                                           .width = 1,
                                           .blob = blob,
                                           .content_type = "image/jpeg",
                                           .size_bytes = 500});
        })));
        return blob;
    }
    // As a second upload does it.
    BlobId replace(const Stored& stored) {
        const BlobId blob = BlobId::random();
        write_blob(blob, stored.key);
        std::vector<BlobId> replaced;
        EXPECT_TRUE(run(database->write([&](meta::Session& session) {
            return meta::store_upload(
                session, {.id = stored.id, .state = AttachmentState::complete, .blob = blob},
                replaced);
        })));
        for (const BlobId each : replaced) EXPECT_TRUE(run(blobs->remove(each)));
        return blob;
    }
    void remove(const Stored& stored) {
        const AuditEntry entry{Time{}, partner, stored.id, "delete", "operator"};
        const auto removed = run(database->write(
            [entry](meta::Session& session) { return meta::remove_attachment(session, entry); },
            meta::Erases::yes));
        ASSERT_TRUE(removed && *removed);
        for (const BlobId each : (**removed).blobs) EXPECT_TRUE(run(blobs->remove(each)));
    }

    Result<BackupReport> try_back_up() {
        BackupProgress progress;
        return run(make_backup({*database, keys, pool, disk, folder / "blobs", clock},
                               folder / "backup", progress));
    }
    BackupReport back_up() {
        auto report = try_back_up();
        EXPECT_TRUE(report) << report.error().message;
        return report ? *report : BackupReport{};
    }
    // What a restore of the backup finds.
    FsckReport check() {
        const auto manifest = read_manifest(folder / "backup");
        EXPECT_TRUE(manifest && *manifest);
        const StagedPaths staged{folder / "staged.db", folder / "staged"};
        auto restored =
            run(stage_backup({keys, pool, *posix}, folder / "backup", **manifest, {}, staged));
        EXPECT_TRUE(restored) << restored.error().message;
        return restored ? restored->check : FsckReport{};
    }
    bool is_in_backup(BlobId blob) const {
        return fs::exists(folder / "backup" / "blobs" / blob.str().substr(0, 2) / blob.str());
    }
};

TEST_F(BackupTest, a_backup_has_contents_and_renditions) {
    const Stored stored = add();
    const BlobId rendition = add_rendition(stored);
    add();
    const BackupReport report = back_up();
    EXPECT_EQ(report.manifest.attachments, 2U);
    EXPECT_EQ(report.manifest.blobs, 3U);
    EXPECT_EQ(report.copied_blobs, 3U);
    EXPECT_TRUE(is_in_backup(stored.blob) && is_in_backup(rendition));
    const FsckReport checked = check();
    EXPECT_TRUE(checked.clean());
    EXPECT_EQ(checked.attachments, 2U);
}

// The database is copied after this, and rows of the copy lose their bytes before their turn.
TEST_F(BackupTest, what_is_deleted_or_replaced_under_way_agrees_with_the_rows) {
    const Stored kept = add();
    Stored deleted;
    Stored replaced;
    BlobId rendition;
    BlobId instead;
    disk.after_first_pass = [&] {
        deleted = add();
        replaced = add();
        rendition = add_rendition(replaced);
        disk.before_open = [&](const std::string& path) {
            const bool is_second_pass = path.starts_with((folder / "backup").string()) &&
                                        fs::exists(folder / "backup" / "blobs" / "incoming");
            if (!is_second_pass) return false;
            remove(deleted);
            instead = replace(replaced);
            return true;
        };
    };
    const BackupReport report = back_up();
    EXPECT_EQ(report.manifest.attachments, 2U);
    EXPECT_EQ(report.manifest.blobs, 2U);
    EXPECT_TRUE(report.manifest.lost.empty());
    EXPECT_EQ(report.manifest.audit_end.seq, 1U);
    EXPECT_TRUE(is_in_backup(kept.blob) && is_in_backup(instead));
    EXPECT_FALSE(is_in_backup(deleted.blob));
    EXPECT_FALSE(is_in_backup(replaced.blob) || is_in_backup(rendition));
    const FsckReport checked = check();
    EXPECT_TRUE(checked.clean());
    EXPECT_EQ(checked.attachments, 2U);
    EXPECT_EQ(checked.audit_entries, 1U);
}

TEST_F(BackupTest, bytes_that_the_store_has_lost_are_named_and_do_not_stop_it) {
    const Stored kept = add();
    const Stored lost = add();
    ASSERT_TRUE(run(blobs->remove(lost.blob)));
    const BackupReport report = back_up();
    EXPECT_EQ(report.manifest.lost, std::vector{lost.id.str()});
    EXPECT_TRUE(is_in_backup(kept.blob));
    EXPECT_EQ(check().findings.size(), 1U);
}

TEST_F(BackupTest, a_backup_that_is_cut_leaves_the_earlier_one_whole) {
    const Stored first = add();
    back_up();
    const Stored second = add();
    remove(first);
    disk.is_full = true;
    EXPECT_FALSE(try_back_up());
    disk.is_full = false;
    const FsckReport earlier = check();
    EXPECT_TRUE(earlier.clean());
    EXPECT_EQ(earlier.attachments, 1U);
    EXPECT_TRUE(is_in_backup(first.blob));

    const BackupReport report = back_up();
    EXPECT_EQ(report.removed_blobs, 1U);
    EXPECT_FALSE(is_in_backup(first.blob));
    EXPECT_TRUE(is_in_backup(second.blob));
    EXPECT_TRUE(check().clean());
}

TEST_F(BackupTest, a_backup_can_be_stopped) {
    add();
    BackupProgress progress;
    progress.stop = true;
    const auto report = run(make_backup({*database, keys, pool, disk, folder / "blobs", clock},
                                        folder / "backup", progress));
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Errc::unavailable);
    const auto manifest = read_manifest(folder / "backup");
    ASSERT_TRUE(manifest && *manifest);
    EXPECT_FALSE((**manifest).complete);
}

// Frozen: docs/formats/backup.md.
TEST(BackupManifest, the_manifest_of_the_first_release_is_read) {
    const std::string text =
        R"({"satchel_backup":1,"complete":true,"made_at":"2026-01-02T03:04:05.000006Z",)"
        R"("database":{"file":"satchel-x.db","bytes":8192,"sha256":"ab"},"attachments":3,)"
        R"("blobs":{"count":4,"bytes":500},"audit":{"key":")" +
        std::string(64, '1') + R"(","seq":7,"hash":")" + std::string(64, '2') +
        R"("},"lost":["one"]})";
    const auto manifest = manifest_from(text);
    ASSERT_TRUE(manifest);
    EXPECT_TRUE(manifest->complete);
    EXPECT_EQ(to_rfc3339(manifest->made_at), "2026-01-02T03:04:05.000006Z");
    EXPECT_EQ(manifest->database, "satchel-x.db");
    EXPECT_EQ(manifest->database_bytes, 8192U);
    EXPECT_EQ(manifest->attachments, 3U);
    EXPECT_EQ(manifest->blobs, 4U);
    EXPECT_EQ(manifest->blob_bytes, 500U);
    EXPECT_EQ(manifest->audit_end.seq, 7U);
    EXPECT_EQ(manifest->audit_end.hash[0], std::byte{0x22});
    EXPECT_EQ(manifest->audit_key[31], std::byte{0x11});
    EXPECT_EQ(manifest->lost, std::vector<std::string>{"one"});
    EXPECT_EQ(to_json_text(*manifest), text + "\n");
}

TEST(BackupManifest, what_leads_out_of_the_folder_or_lacks_something_is_no_manifest) {
    BackupManifest manifest;
    manifest.complete = true;
    manifest.database = "satchel-x.db";
    EXPECT_TRUE(manifest_from(to_json_text(manifest)));
    for (const char* name : {"../x.db", "/etc/passwd", "", "."}) {
        manifest.database = name;
        EXPECT_FALSE(manifest_from(to_json_text(manifest))) << name;
    }
    EXPECT_FALSE(manifest_from("{}"));
    EXPECT_FALSE(manifest_from(R"({"satchel_backup":1,"complete":true})"));
    EXPECT_TRUE(manifest_from(R"({"satchel_backup":1,"complete":false})"));
}

}  // namespace
}  // namespace satchel
