#include "service/fsck.hpp"

#include "base/limits.hpp"
#include "blob/file_store.hpp"
#include "meta/attachments.hpp"
#include "meta/partners.hpp"
#include "meta/renditions.hpp"
#include "meta/sqlite.hpp"
#include "meta/stored_blobs.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace satchel {
namespace {

using test::run;
namespace fs = std::filesystem;

crypto::KeyRing make_keys(const fs::path& file) {
    EXPECT_TRUE(crypto::KeyRing::create(file));
    return *crypto::KeyRing::open(file);
}

struct FsckTest : testing::Test {
    test::TempFolder folder;
    crypto::KeyRing keys = make_keys(folder / "master.key");
    BlockingPool pool{2};
    std::unique_ptr<blob::Disk> disk = blob::make_posix_disk();
    std::unique_ptr<blob::Store> blobs = *blob::FileStore::open(folder / "blobs", pool, *disk);
    std::unique_ptr<meta::Database> database = *meta::open_sqlite({.file = folder / "meta.db"});
    const PartnerId partner = add_partner();

    struct Stored {
        AttachmentId id;
        BlobId blob;
        crypto::Key key;
    };

    PartnerId add_partner() {
        const Partner made{PartnerId::random(), "alice", Time{}, std::nullopt};
        EXPECT_TRUE(run(database->write(
            [made](meta::Session& session) { return meta::insert_partner(session, made); })));
        return made.id;
    }

    void write_blob(BlobId id, const crypto::Key& attachment_key, std::size_t size) {
        auto writer = run(blobs->create(id, crypto::blob_key(attachment_key, id)));
        ASSERT_TRUE(writer);
        Bytes bytes(size, std::byte{7});
        for (std::size_t at = 0; at < size; at += limits::transfer_buffer_bytes) {
            const std::size_t n = std::min(limits::transfer_buffer_bytes, size - at);
            const auto last = at + n == size ? crypto::Last::yes : crypto::Last::no;
            ASSERT_TRUE(run((*writer)->append(std::span(bytes).subspan(at, n), last)));
        }
        ASSERT_TRUE(run((*writer)->commit()));
        ASSERT_TRUE(run(blobs->confirm(id)));
    }

    Stored add(std::size_t size, AttachmentState state = AttachmentState::complete) {
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
        row.size_bytes = size;
        row.state = state;
        if (state == AttachmentState::complete) {
            row.blob = stored.blob;
            write_blob(stored.blob, stored.key, size);
        }
        EXPECT_TRUE(run(database->write(
            [row](meta::Session& session) { return meta::insert_attachment(session, row); })));
        return stored;
    }

    fs::path file_of(BlobId id) {
        for (const auto& entry : fs::recursive_directory_iterator(folder / "blobs")) {
            std::string name = entry.path().filename().string();
            std::erase(name, '-');
            std::string wanted = id.str();
            std::erase(wanted, '-');
            if (entry.is_regular_file() && name.find(wanted) != std::string::npos) {
                return entry.path();
            }
        }
        ADD_FAILURE() << "no file of blob " << id.str();
        return {};
    }

    static void flip_bit(const fs::path& file, std::streamoff at) {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekg(at);
        const int byte = stream.get();
        stream.seekp(at);
        stream.put(static_cast<char>(byte ^ 1));
    }

    FsckReport check(Repair repair = Repair::no) {
        auto report = run(fsck(*database, *blobs, keys, repair));
        EXPECT_TRUE(report);
        return report ? *report : FsckReport{};
    }
    // Expects one finding.
    FsckFinding only_finding(Repair repair = Repair::no) {
        const FsckReport report = check(repair);
        EXPECT_EQ(report.findings.size(), 1U);
        return report.findings.empty() ? FsckFinding{} : report.findings.front();
    }
};

TEST_F(FsckTest, a_sound_store_is_clean_and_everything_in_it_is_read) {
    add(10);
    add(1'000'000);
    add(50, AttachmentState::pending);
    add(50, AttachmentState::failed);
    const FsckReport report = check();
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.attachments, 4U);
    EXPECT_EQ(report.blobs, 2U);
    EXPECT_EQ(report.bytes, 1'000'010U);
}

TEST_F(FsckTest, more_rows_than_a_page_are_all_seen) {
    for (int i = 0; i < 450; ++i) add(1, AttachmentState::pending);
    EXPECT_EQ(check().attachments, 450U);
}

TEST_F(FsckTest, a_flipped_bit_anywhere_in_a_stored_file_is_found) {
    const Stored stored = add(200);
    const fs::path file = file_of(stored.blob);
    const auto size = static_cast<std::streamoff>(fs::file_size(file));
    for (std::streamoff at = 0; at < size; ++at) {
        flip_bit(file, at);
        const FsckFinding finding = only_finding();
        EXPECT_EQ(finding.kind, "corrupt_bytes") << "at byte " << at;
        EXPECT_EQ(finding.subject, stored.id.str());
        flip_bit(file, at);
    }
    EXPECT_TRUE(check().clean());
}

TEST_F(FsckTest, a_file_that_is_longer_or_shorter_is_found) {
    const Stored stored = add(100'000);
    const fs::path file = file_of(stored.blob);
    const auto size = fs::file_size(file);
    fs::resize_file(file, size - 1);
    EXPECT_EQ(only_finding().kind, "corrupt_bytes");
    fs::resize_file(file, size + 1);
    EXPECT_EQ(only_finding().kind, "corrupt_bytes");
}

TEST_F(FsckTest, bytes_that_are_gone_are_found_and_cannot_be_repaired) {
    const Stored stored = add(100);
    ASSERT_TRUE(run(blobs->remove(stored.blob)));
    const FsckFinding finding = only_finding(Repair::yes);
    EXPECT_EQ(finding.kind, "missing_bytes");
    EXPECT_EQ(finding.subject, stored.id.str());
    EXPECT_FALSE(finding.repaired);
}

TEST_F(FsckTest, a_changed_key_or_name_is_found) {
    const Stored first = add(100);
    const Stored second = add(100);
    ASSERT_TRUE(run(database->write([&](meta::Session& session) -> Result<> {
        CHECK(session.run(
            "UPDATE attachments SET key_slot = (SELECT key_slot FROM attachments WHERE id = $1) "
            "WHERE id = $2",
            second.id, first.id));
        return session.run("UPDATE attachments SET sealed_name = $1 WHERE id = $2",
                           crypto::seal_once(second.key, {}, as_bytes("b.jpg")), second.id);
    })));
    const FsckReport report = check();
    ASSERT_EQ(report.findings.size(), 2U);
    EXPECT_EQ(report.findings[0].kind, "corrupt_metadata");
    EXPECT_EQ(report.findings[1].kind, "corrupt_metadata");
}

TEST_F(FsckTest, a_stray_blob_is_found_and_repair_removes_it_and_nothing_else) {
    add(100);
    const BlobId stray = BlobId::random();
    write_blob(stray, crypto::Key::random(), 100);
    EXPECT_EQ(only_finding().subject, stray.str());
    const FsckFinding repaired = only_finding(Repair::yes);
    EXPECT_EQ(repaired.kind, "stray_blob");
    EXPECT_TRUE(repaired.repaired);
    const FsckReport after = check();
    EXPECT_TRUE(after.clean());
    EXPECT_EQ(after.blobs, 1U);
}

TEST_F(FsckTest, a_file_that_is_no_blob_is_named_and_left_alone) {
    const Stored stored = add(100);
    const fs::path unknown = file_of(stored.blob).parent_path() / "notes.txt";
    std::ofstream(unknown) << "mine";
    const FsckFinding finding = only_finding(Repair::yes);
    EXPECT_EQ(finding.kind, "unknown_file");
    EXPECT_NE(finding.subject.find("notes.txt"), std::string::npos);
    EXPECT_TRUE(fs::exists(unknown));
}

TEST_F(FsckTest, usage_that_is_not_what_is_stored_is_found_and_put_right) {
    add(10);
    add(5, AttachmentState::pending);
    ASSERT_TRUE(run(database->write([](meta::Session& session) {
        return session.run("UPDATE partner_usage SET complete_bytes = 11");
    })));
    EXPECT_EQ(only_finding().kind, "wrong_usage");
    const FsckFinding finding = only_finding(Repair::yes);
    EXPECT_TRUE(finding.repaired);
    EXPECT_EQ(finding.subject, partner.str());
    EXPECT_EQ(finding.detail, "counted as 2 files of 16 bytes; it has 2 of 15; put right");
    EXPECT_TRUE(check().clean());
}

TEST_F(FsckTest, every_byte_of_a_stored_file_is_watched) {
    const Stored stored = add(300);
    const fs::path file = file_of(stored.blob);
    const auto bytes = static_cast<std::streamoff>(fs::file_size(file));
    for (std::streamoff at = 0; at < bytes; ++at) {
        flip_bit(file, at);
        const FsckReport report = check();
        ASSERT_EQ(report.findings.size(), 1U) << "byte " << at;
        EXPECT_EQ(report.findings.front().kind, "corrupt_bytes");
        EXPECT_EQ(report.findings.front().subject, stored.id.str());
        flip_bit(file, at);
    }
    EXPECT_TRUE(check().clean());
}

TEST_F(FsckTest, renditions_are_checked_both_ways) {
    const Stored stored = add(100);
    const BlobId rendition = BlobId::random();
    write_blob(rendition, stored.key, 200);
    ASSERT_TRUE(run(database->write([&](meta::Session& session) {
        return meta::insert_rendition(session, stored.id, stored.blob,
                                      {.form = "jpeg",
                                       .width = 640,
                                       .blob = rendition,
                                       .content_type = "image/jpeg",
                                       .size_bytes = 200});
    })));
    EXPECT_TRUE(check().clean());
    const fs::path file = file_of(rendition);
    flip_bit(file, 100);
    EXPECT_EQ(only_finding().kind, "corrupt_bytes");
    flip_bit(file, 100);
    fs::rename(file, folder / "away");
    EXPECT_EQ(only_finding().kind, "missing_bytes");
    fs::rename(folder / "away", file);
    // A row that is gone leaves its bytes without an owner.
    ASSERT_TRUE(run(database->write(
        [&](meta::Session& session) { return meta::forget_rendition(session, rendition); })));
    EXPECT_EQ(only_finding().kind, "stray_blob");
}

TEST_F(FsckTest, a_broken_audit_is_found) {
    database.reset();
    database = *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});
    const Stored stored = add(10);
    ASSERT_TRUE(run(database->write(
        [&](meta::Session& session) {
            return meta::remove_attachment(session,
                                           {Time{}, partner, stored.id, "delete", "operator"});
        },
        meta::Erases::yes)));
    ASSERT_TRUE(run(blobs->remove(stored.blob)));
    const FsckReport sound = check();
    EXPECT_TRUE(sound.clean());
    EXPECT_EQ(sound.audit_entries, 1U);
    ASSERT_TRUE(run(database->write([](meta::Session& session) -> Result<> {
        CHECK(session.run("DROP TRIGGER deletion_audit_keeps_content"));
        return session.run("UPDATE deletion_audit SET cause = 'expired'");
    })));
    EXPECT_EQ(only_finding().kind, "broken_audit");
}

}  // namespace
}  // namespace satchel
