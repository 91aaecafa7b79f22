// The power is cut at every write of the database and of the blob store, and states that may be
// left are started from: what was acknowledged is there, what was deleted is nowhere.
#include "base/log.hpp"
#include "blob/file_store.hpp"
#include "meta/partners.hpp"
#include "meta/sqlite.hpp"
#include "service/attachment_service.hpp"
#include "service/audit.hpp"
#include "service/deletion_service.hpp"
#include "service/fsck.hpp"
#include "tests/support/blobs.hpp"
#include "tests/support/faulty_disk.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/power_loss_vfs.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/text_body.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

namespace satchel {
namespace {

namespace fs = std::filesystem;
using test::run;

constexpr int cuts_max = 1000;

// What a client knows.
struct Acknowledged {
    struct Deleted {
        Bytes wrapped_key;
        Bytes sealed_name;
    };
    std::map<AttachmentId, std::uint64_t> asked_for;  // With the announced sizes.
    std::map<AttachmentId, Bytes> uploaded;
    std::set<AttachmentId> being_deleted;
    std::map<AttachmentId, Deleted> deleted;
};

// A server's parts on a folder: what stands in blobs/ and meta.db.
struct Parts {
    std::unique_ptr<meta::Database> database;
    std::unique_ptr<blob::Store> blobs;
    Clock clock;
    std::optional<ContentInspector> inspector;
    OpenDownloads downloads;
    std::optional<AttachmentService> attachments;
    std::optional<DeletionService> deletions;
};

struct PowerLoss : testing::Test {
    PowerLoss() { log::set_level(log::Level::off); }
    ~PowerLoss() override {
        pool.join();
        log::set_level(log::Level::info);
    }

    const crypto::KeyRing keys = test::new_master_key();
    BlockingPool pool{2};
    std::unique_ptr<blob::Disk> posix_disk = blob::make_posix_disk();
    test::UnsyncedDisk unsynced_disk{*posix_disk};
    const PartnerId partner = PartnerId::random();

    Result<std::unique_ptr<Parts>> start(const fs::path& folder,
                                         blob::Disk& disk,
                                         std::string vfs = {}) {
        auto parts = std::make_unique<Parts>();
        TRY(parts->database,
            meta::open_sqlite({.file = folder / "meta.db", .keys = &keys, .vfs = std::move(vfs)}));
        TRY(parts->blobs, blob::FileStore::open(folder / "blobs", pool, disk));
        parts->inspector.emplace(ContentInspector::Parts{*parts->blobs});
        parts->attachments.emplace(AttachmentService::Parts{*parts->database,
                                                            *parts->blobs,
                                                            keys,
                                                            parts->clock,
                                                            {},
                                                            *parts->inspector,
                                                            parts->downloads});
        parts->deletions.emplace(DeletionService::Parts{*parts->database, *parts->blobs,
                                                        parts->clock, parts->downloads});
        CHECK(run(parts->attachments->recover()));
        CHECK(run(parts->deletions->recover()));
        return parts;
    }

    std::optional<AttachmentId> ask(Parts& parts, Acknowledged& known, std::size_t size) {
        const auto made = run(parts.attachments->create(
            partner, {"scan.pdf", "application/pdf", static_cast<std::int64_t>(size)}));
        if (!made) return std::nullopt;
        known.asked_for[made->id] = size;
        return made->id;
    }

    std::optional<AttachmentId> upload(Parts& parts, Acknowledged& known, std::size_t size) {
        const auto id = ask(parts, known, size);
        if (!id) return std::nullopt;
        const Bytes content = test::sample_bytes(size, static_cast<unsigned>(size));
        test::TextBody body(content);
        UploadRefusal refusal{};
        if (run(parts.attachments->store({*id, size, {}}, body, refusal))) {
            known.uploaded[*id] = content;
        }
        return id;
    }

    void remove(Parts& parts, Acknowledged& known, std::optional<AttachmentId> id) {
        if (!id) return;
        auto find = [id](meta::Session& session) {
            return meta::find_stored_attachment(session, *id);
        };
        const auto row = run(parts.database->read(find));
        if (!row || !*row) return;
        known.uploaded.erase(*id);
        known.asked_for.erase(*id);
        known.being_deleted.insert(*id);
        if (!run(parts.deletions->remove(partner, *id, {"delete", "key:1"}))) return;
        known.being_deleted.erase(*id);
        known.deleted[*id] = {(*row)->wrapped_key, (*row)->sealed_name};
    }

    // Some of everything. Answers what was acknowledged until the power went.
    Acknowledged work(const fs::path& folder, blob::Disk& disk, const std::string& vfs) {
        Acknowledged known;
        const auto started = start(folder, disk, vfs);
        if (!started) return known;
        Parts& parts = **started;
        const auto first = upload(parts, known, 5'000);
        upload(parts, known, 70'000);
        const auto never_uploaded = ask(parts, known, 10);
        remove(parts, known, first);
        remove(parts, known, never_uploaded);
        upload(parts, known, 300);
        return known;
    }

    void expect_whole(const fs::path& folder, const Acknowledged& known) {
        test::PowerSupply steady;
        const test::PowerLossVfs unsynced_vfs("unsynced", steady);
        const auto started = start(folder, unsynced_disk, unsynced_vfs.name());
        ASSERT_TRUE(started) << started.error().detail;
        Parts& parts = **started;
        for (const auto& [id, size] : known.asked_for) {
            const auto found = run(parts.attachments->find(partner, id));
            ASSERT_TRUE(found) << "an id that was handed out is lost";
            EXPECT_EQ(found->filename, "scan.pdf");
            EXPECT_EQ(found->size_bytes, size);
            if (!known.uploaded.contains(id)) continue;
            const auto download = run(parts.attachments->find_for_download(partner, id));
            ASSERT_TRUE(download) << "an acknowledged upload is lost";
            const auto reader = run(parts.attachments->open(*download));
            ASSERT_TRUE(reader) << "acknowledged bytes are lost";
            EXPECT_EQ(run(test::read_bytes(**reader, 0, size)).value(), known.uploaded.at(id));
        }
        for (const auto& [id, deleted] : known.deleted) {
            EXPECT_FALSE(run(parts.attachments->find(partner, id))) << "a deleted one is back";
        }
        const auto verdict = run(verify_audit(*parts.database, {}));
        ASSERT_TRUE(verdict);
        EXPECT_EQ(verdict->problem, std::nullopt);
        EXPECT_GE(verdict->end.seq, known.deleted.size());
        EXPECT_LE(verdict->end.seq, known.deleted.size() + known.being_deleted.size());
        const auto checked = run(fsck(*parts.database, *parts.blobs, keys, Repair::no));
        ASSERT_TRUE(checked);
        EXPECT_TRUE(checked->clean()) << checked->findings.front().detail;
    }

    static void expect_no_traces(const fs::path& folder, const Acknowledged& known) {
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            if (!entry.is_regular_file()) continue;
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string content{std::istreambuf_iterator<char>(file), {}};
            for (const auto& [id, deleted] : known.deleted) {
                EXPECT_FALSE(content.contains(as_text(deleted.wrapped_key))) << entry.path();
                EXPECT_FALSE(content.contains(as_text(deleted.sealed_name))) << entry.path();
            }
        }
    }

    // What may be left of everything that was not synced.
    struct Left {
        test::PowerLossVfs::Unsynced pages;
        test::PowerLossDisk::UnsyncedContent content;
        unsigned names_in_four;  // How many quarters of the names at stake survive.
    };
    void expect_recoverable(const fs::path& folder,
                            const test::PowerLossVfs& vfs,
                            const test::PowerLossDisk& disk,
                            const Acknowledged& known,
                            unsigned seed) {
        using Unsynced = test::PowerLossVfs::Unsynced;
        using UnsyncedContent = test::PowerLossDisk::UnsyncedContent;
        const std::array lefts{Left{Unsynced::lost, UnsyncedContent::missing, 0},
                               Left{Unsynced::there, UnsyncedContent::there, 4},
                               Left{Unsynced::some, UnsyncedContent::zeros, 2},
                               Left{Unsynced::some, UnsyncedContent::there, 3},
                               Left{Unsynced::lost, UnsyncedContent::there, 4},
                               Left{Unsynced::there, UnsyncedContent::missing, 1}};
        // Half of them after each cut, the other half after the next.
        for (std::size_t i = seed % 2; i < lefts.size(); i += 2) {
            const Left& left = lefts[i];
            SCOPED_TRACE("pages " + std::to_string(static_cast<int>(left.pages)) + ", content " +
                         std::to_string(static_cast<int>(left.content)) + ", " +
                         std::to_string(left.names_in_four) + "/4 of " +
                         std::to_string(disk.names_at_stake()) + " names");
            const test::TempFolder survived;
            disk.survive(folder, survived.path(), disk.names_at_stake() * left.names_in_four / 4,
                         left.content);
            vfs.survive(survived.path(), left.pages, seed);
            expect_no_traces(survived.path(), known);
            expect_whole(survived.path(), known);
            expect_no_traces(survived.path(), known);
            if (HasFailure()) return;
        }
    }
};

TEST_F(PowerLoss, keeps_what_was_acknowledged_and_nothing_of_what_was_deleted) {
    const test::TempFolder empty;
    {
        const auto started = start(empty.path(), unsynced_disk);
        ASSERT_TRUE(started);
        const Partner whose{partner, "acme", (*started)->clock.now(), std::nullopt};
        ASSERT_TRUE(run((*started)->database->write(
            [whose](meta::Session& session) { return meta::insert_partner(session, whose); })));
    }
    std::size_t most_uploaded = 0;
    std::size_t most_deleted = 0;
    for (int cut = 0;; ++cut) {
        ASSERT_LT(cut, cuts_max) << "the walk does not end";
        SCOPED_TRACE("cut at call " + std::to_string(cut));
        const test::TempFolder folder;
        fs::copy(empty / "meta.db", folder / "meta.db");
        test::PowerSupply supply;
        test::PowerLossVfs vfs("power_loss_" + std::to_string(cut), supply);
        test::PowerLossDisk disk(unsynced_disk, supply);
        supply.cut_at(cut);
        const Acknowledged known = work(folder.path(), disk, vfs.name());
        most_uploaded = std::max(most_uploaded, known.uploaded.size());
        most_deleted = std::max(most_deleted, known.deleted.size());
        expect_recoverable(folder.path(), vfs, disk, known, static_cast<unsigned>(cut));
        if (HasFailure()) return;
        if (!supply.is_off()) break;  // No call left to cut at.
    }
    EXPECT_EQ(most_uploaded, 2U);
    EXPECT_EQ(most_deleted, 2U);
}

}  // namespace
}  // namespace satchel
