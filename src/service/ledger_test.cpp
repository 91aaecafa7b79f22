#include "service/ledger.hpp"

#include "base/log.hpp"
#include "meta/attachments.hpp"
#include "meta/partners.hpp"
#include "meta/sqlite.hpp"
#include "service/audit.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

namespace fs = std::filesystem;
using test::run;

struct LedgerTest : testing::Test {
    LedgerTest() { log::set_level(log::Level::off); }
    ~LedgerTest() override { log::set_level(log::Level::info); }

    test::TempFolder folder;
    const crypto::KeyRing keys = test::new_master_key();
    const PartnerId partner = PartnerId::random();
    std::unique_ptr<meta::Database> live = open("live.db");

    std::unique_ptr<meta::Database> open(const std::string& name) {
        auto opened = meta::open_sqlite({.file = folder / name, .keys = &keys});
        EXPECT_TRUE(opened) << opened.error().message;
        return *std::move(opened);
    }
    AttachmentId add() {
        meta::AttachmentRow row;
        row.id = AttachmentId::random();
        row.partner = partner;
        crypto::WrappedKey wrapped = keys.wrap(row.id, crypto::Key::random());
        row.wrapped_key = std::move(wrapped.bytes);
        row.key_version = wrapped.version;
        row.content_type = "image/jpeg";
        row.state = AttachmentState::complete;
        row.size_bytes = 5;
        row.blob = BlobId::random();
        EXPECT_TRUE(run(live->write(
            [row](meta::Session& session) { return meta::insert_attachment(session, row); })));
        return row.id;
    }
    void remove(AttachmentId id) {
        const AuditEntry entry{Time{}, partner, id, "delete", "operator"};
        const auto removed = run(live->write(
            [entry](meta::Session& session) { return meta::remove_attachment(session, entry); },
            meta::Erases::yes));
        EXPECT_TRUE(removed && *removed);
    }
    std::unique_ptr<meta::Database> copy(const std::string& name = "copy.db") {
        EXPECT_TRUE(run(live->copy_to(folder / name)));
        return open(name);
    }
    std::vector<AuditLink> links_after(std::uint64_t seq) { return *run(audit_page(*live, seq)); }
    static bool has(meta::Database& database, AttachmentId id) {
        return run(database.read([id](meta::Session& session) {
                   return meta::find_stored_attachment(session, id);
               }))
            .value()
            .has_value();
    }
};

TEST_F(LedgerTest, what_was_deleted_since_is_deleted_and_the_chain_goes_on) {
    remove(add());
    const AttachmentId kept = add();
    const AttachmentId deleted = add();
    const auto behind = copy();
    remove(deleted);
    const AttachmentId came_and_went = add();
    remove(came_and_went);

    const auto outcome = run(apply_ledger(*behind, links_after(1)));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->entries, 2U);
    EXPECT_EQ(outcome->deleted, 1U);
    EXPECT_TRUE(has(*behind, kept));
    EXPECT_FALSE(has(*behind, deleted));
    EXPECT_EQ(run(audit_end_of(*behind)).value(), run(audit_end_of(*live)).value());
    EXPECT_FALSE(run(verify_audit(*behind, {}))->problem);
    const auto queued = [](meta::Session& session) {
        return meta::pending_blob_removals(session, 10);
    };
    EXPECT_EQ(run(behind->read(queued))->size(), 2U);  // One from before the copy.
    ASSERT_TRUE(run(forget_removed_blobs(*behind)));
    EXPECT_TRUE(run(behind->read(queued))->empty());
}

TEST_F(LedgerTest, many_entries_are_applied_in_batches) {
    std::vector<AttachmentId> ids;
    for (int i = 0; i < 210; ++i) ids.push_back(add());
    const auto behind = copy();
    for (const AttachmentId id : ids) remove(id);
    const auto outcome = run(apply_ledger(*behind, links_after(0)));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->deleted, 210U);
    EXPECT_FALSE(run(verify_audit(*behind, {}))->problem);
    EXPECT_EQ(run(audit_end_of(*behind)).value(), run(audit_end_of(*live)).value());
}

TEST_F(LedgerTest, entries_that_do_not_follow_change_nothing) {
    const AttachmentId deleted = add();
    const auto behind = copy();
    const AttachmentId other = add();
    remove(other);
    remove(deleted);
    const auto links = links_after(0);
    ASSERT_EQ(links.size(), 2U);
    const auto refused = [&](std::vector<AuditLink> wrong) {
        const auto outcome = run(apply_ledger(*behind, wrong));
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().code, Errc::corrupt);
        EXPECT_FALSE(outcome.error().message.empty());
        EXPECT_TRUE(has(*behind, deleted));
        EXPECT_EQ(run(audit_end_of(*behind))->seq, 0U);
        EXPECT_FALSE(run(verify_audit(*behind, {}))->problem);
    };
    refused({links[1]});
    refused({links[1], links[0]});
    auto changed = links;
    changed[1].entry.attachment = AttachmentId::random();
    refused(changed);
    changed = links;
    changed[1].hash[5] ^= std::byte{1};
    refused(changed);
    EXPECT_TRUE(run(apply_ledger(*behind, links)));
    EXPECT_FALSE(has(*behind, deleted));
}

}  // namespace
}  // namespace satchel
