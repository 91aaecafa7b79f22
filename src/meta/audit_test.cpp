#include "meta/audit.hpp"

#include "base/log.hpp"
#include "meta/columns.hpp"
#include "meta/database_suite.hpp"
#include "meta/sqlite.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/raw_database.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace satchel::meta {
namespace {

TEST_P(AttachmentsSuite, the_audit_is_read_in_order_and_from_any_point) {
    std::vector<AttachmentId> ids;
    for (int i = 0; i < 6; ++i) {
        const AttachmentRow row = pending_row();
        ASSERT_TRUE(insert(row));
        ASSERT_TRUE(remove(deletion_of(row)).value());
        ids.push_back(row.id);
    }
    const auto all = audit();
    ASSERT_EQ(all.size(), 6U);
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].entry.attachment, ids[i]);
        EXPECT_EQ(all[i].seq, i + 1);
    }
    EXPECT_EQ(audit(4).size(), 2U);
    EXPECT_EQ(audit(0, 4).size(), 4U);
}

TEST_P(AttachmentsSuite, the_audit_cannot_be_changed_or_cut) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(row));
    ASSERT_TRUE(remove(deletion_of(row)).value());
    EXPECT_FALSE(write([](Session& s) { return s.run("DELETE FROM deletion_audit"); }));
    EXPECT_FALSE(write([](Session& s) { return s.run("UPDATE deletion_audit SET actor = ''"); }));
    EXPECT_EQ(audit().size(), 1U);
}

AuditEntry entry_at(int second) {
    return {.at = noon + std::chrono::seconds(second),
            .partner = PartnerId::random(),
            .attachment = AttachmentId::random(),
            .cause = "delete",
            .actor = "key:7"};
}

struct AuditTest : testing::Test {
    AuditTest() { log::set_level(log::Level::off); }
    ~AuditTest() override { log::set_level(log::Level::info); }

    test::TempFolder folder;
    std::filesystem::path file = folder / "meta.db";
    const crypto::KeyRing keys = test::new_master_key();
    Waiter waiter;
    std::unique_ptr<Database> database = *open_sqlite({.file = file, .keys = &keys});

    void reopen() {
        database.reset();
        database = *open_sqlite({.file = file, .keys = &keys});
    }
    Result<> append(const AuditEntry& entry) {
        return waiter.wait(database->write([entry](Session& s) { return append_audit(s, entry); }));
    }
    void append_some(int count) {
        for (int i = 0; i < count; ++i) ASSERT_TRUE(append(entry_at(i)));
    }
    std::string problem() {
        return waiter
            .wait(database->read(
                [](Session& s) -> Result<std::string> { return audit_problem_in(s); }))
            .value();
    }
    // Runs `sql` behind the back of the code under test, the triggers out of the way.
    void tamper(const std::string& sql) {
        database.reset();
        test::RawDatabase(file).run(
            "DROP TRIGGER IF EXISTS deletion_audit_keeps_rows;"
            "DROP TRIGGER IF EXISTS deletion_audit_keeps_content;" +
            sql);
        reopen();
    }
};

TEST_F(AuditTest, a_chain_is_whole_at_every_length_and_after_reopening) {
    EXPECT_EQ(problem(), "");
    for (int i = 0; i < 3; ++i) {
        append_some(2);
        EXPECT_EQ(problem(), "");
        reopen();
        EXPECT_EQ(problem(), "");
    }
}

TEST_F(AuditTest, many_entries_of_one_commit_and_of_one_write_are_chained) {
    std::vector<std::optional<Result<>>> results(50);
    for (int i = 0; i < 50; ++i) {
        waiter.start(database->write([i](Session& s) -> Result<> {
            CHECK(append_audit(s, entry_at(i)));
            CHECK(append_audit(s, entry_at(i)));
            return i % 7 == 3 ? fail(Errc::conflict, "undone") : Result<>{};
        }),
                     results[static_cast<std::size_t>(i)]);
    }
    waiter.run();
    EXPECT_EQ(problem(), "");
    const auto entries =
        waiter.wait(database->read([](Session& s) { return audit_after(s, 0, 1000); }));
    EXPECT_EQ(entries.value().size(), 2 * (50U - 7U));
}

TEST_F(AuditTest, a_write_that_fails_leaves_the_chain_as_it_was) {
    append_some(1);
    EXPECT_FALSE(waiter.wait(database->write([](Session& s) -> Result<> {
        CHECK(append_audit(s, entry_at(1)));
        return fail(Errc::conflict, "undone");
    })));
    append_some(1);
    EXPECT_EQ(problem(), "");
}

TEST_F(AuditTest, whatever_is_done_to_the_rows_is_found_and_stays_to_be_found) {
    const char* const edits[] = {
        "UPDATE deletion_audit SET actor = 'nobody' WHERE seq = 2",
        "UPDATE deletion_audit SET at = at + 1 WHERE seq = 4",
        "UPDATE deletion_audit SET partner = zeroblob(16) WHERE seq = 1",
        "UPDATE deletion_audit SET attachment = zeroblob(15) WHERE seq = 1",
        "UPDATE deletion_audit SET hash = zeroblob(32) WHERE seq = 4",
        "UPDATE deletion_audit SET hash = x'' WHERE seq = 4",
        "UPDATE deletion_audit SET seq = 9 WHERE seq = 4",
        "DELETE FROM deletion_audit WHERE seq = 2",
        "DELETE FROM deletion_audit WHERE seq = 4",
        "DELETE FROM deletion_audit",
        "INSERT INTO deletion_audit SELECT 5, at, partner, attachment, cause, actor, hash "
        "FROM deletion_audit WHERE seq = 4",
        // The end put where the cut rows make it look right, with the old signature.
        "DELETE FROM deletion_audit WHERE seq = 4; UPDATE audit_chain SET seq = 3, "
        "hash = (SELECT hash FROM deletion_audit WHERE seq = 3)",
        "UPDATE audit_chain SET signature = zeroblob(64)",
        "UPDATE audit_chain SET begun_at = begun_at + 1",
        "UPDATE audit_chain SET inherited = 1",
        "DELETE FROM audit_chain",
    };
    append_some(4);
    ASSERT_EQ(problem(), "");
    database.reset();
    const auto whole = folder / "whole.db";
    std::filesystem::copy_file(file, whole);
    for (const char* edit : edits) {
        database.reset();
        std::filesystem::copy_file(whole, file, std::filesystem::copy_options::overwrite_existing);
        tamper(edit);
        EXPECT_NE(problem(), "") << edit;
        // A server that goes on must neither stop deleting nor cover it up.
        append_some(2);
        EXPECT_NE(problem(), "") << edit;
        reopen();
        EXPECT_NE(problem(), "") << edit;
    }
}

TEST_F(AuditTest, rows_of_before_the_chain_are_taken_into_it) {
    append_some(3);
    tamper(
        "UPDATE deletion_audit SET hash = x''; DELETE FROM audit_chain;"
        "CREATE TRIGGER deletion_audit_keeps_content BEFORE UPDATE ON deletion_audit "
        "WHEN length(OLD.hash) > 0 BEGIN SELECT RAISE(ABORT, 'append-only'); END");
    EXPECT_EQ(problem(), "");
    const auto chain =
        waiter.wait(database->read([](Session& s) { return find_audit_chain(s); })).value();
    EXPECT_EQ(chain.value().origin.inherited, 3U);
    append_some(1);
    EXPECT_EQ(problem(), "");
}

std::string content_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Changes each byte of the file that belongs to the audit: what is then read is the same, or
// there is a problem.
TEST_F(AuditTest, no_byte_of_the_audit_can_be_changed_unnoticed) {
    append_some(3);
    const auto entries_of = [](Session& s) -> Result<std::string> {
        std::string text;
        const auto links = audit_after(s, 0, 100);
        if (!links) return std::string("unreadable");
        for (const AuditLink& link : *links) {
            text += std::to_string(link.seq) + to_rfc3339(link.entry.at) +
                    link.entry.partner.str() + link.entry.attachment.str() + link.entry.cause +
                    link.entry.actor + "\n";
        }
        return text;
    };
    const std::string original = waiter.wait(database->read(entries_of)).value();
    const auto pages =
        waiter
            .wait(database->read([](Session& s) -> Result<std::vector<int>> {
                TRY(auto statement, s.query("SELECT rootpage FROM sqlite_schema WHERE name IN "
                                            "('deletion_audit', 'audit_chain')"));
                return all_rows(*statement, [](const Statement& row) -> Result<int> {
                    return static_cast<int>(row.integer(0));
                });
            }))
            .value();
    ASSERT_EQ(pages.size(), 2U);
    database.reset();
    const std::string whole = content_of(file);
    std::size_t changed = 0;
    for (const int page : pages) {
        for (std::size_t i = 0; i < 4096; ++i) {
            const std::size_t at = static_cast<std::size_t>(page - 1) * 4096 + i;
            if (whole[at] == 0 && i > 8) continue;  // Mostly unused room.
            std::string bytes = whole;
            bytes[at] = static_cast<char>(bytes[at] ^ 0x01);
            std::ofstream(file, std::ios::binary) << bytes;
            const auto opened =
                open_sqlite({.file = file, .access = Access::read_only, .keys = &keys});
            if (!opened) continue;
            ++changed;
            const auto problem = waiter.wait((*opened)->read(
                [](Session& s) -> Result<std::string> { return audit_problem_in(s); }));
            if (!problem || !problem->empty()) continue;
            EXPECT_EQ(waiter.wait((*opened)->read(entries_of)).value(), original) << at;
        }
    }
    EXPECT_GT(changed, 300U);
}

}  // namespace
}  // namespace satchel::meta
