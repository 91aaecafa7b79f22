#include "service/audit.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "crypto/audit_chain.hpp"
#include "meta/audit.hpp"
#include "meta/sqlite.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/run.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

using test::run;

struct AuditServiceTest : testing::Test {
    AuditServiceTest() { log::set_level(log::Level::off); }
    ~AuditServiceTest() override { log::set_level(log::Level::info); }

    test::TempFolder folder;
    const crypto::KeyRing keys = test::new_master_key();
    const Time now{std::chrono::seconds(1'800'000'000)};
    std::unique_ptr<meta::Database> database =
        *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});

    std::vector<AttachmentId> append(std::size_t count) {
        std::vector<AttachmentId> ids(count);
        for (AttachmentId& id : ids) id = AttachmentId::random();
        EXPECT_TRUE(run(database->write([this, ids](meta::Session& session) -> Result<> {
            for (const AttachmentId& id : ids) {
                CHECK(meta::append_audit(session, {now, PartnerId::random(), id, "delete", "key"}));
            }
            return {};
        })));
        return ids;
    }
    // Another chain's end, signed by nobody this database knows.
    void replace_end() {
        EXPECT_TRUE(run(database->write([](meta::Session& session) {
            return session.run("UPDATE audit_chain SET signature = zeroblob(64)");
        })));
    }
};

TEST_F(AuditServiceTest, a_chain_of_several_pages_is_verified_to_its_end) {
    for (const std::size_t count : {0UZ, 1UZ, limits::audit_page_max, limits::audit_page_max}) {
        append(count);
        const auto verdict = run(verify_audit(*database, {}));
        ASSERT_TRUE(verdict);
        EXPECT_EQ(verdict->problem, std::nullopt);
        EXPECT_EQ(verdict->end, run(sign_audit_head(*database, now))->position);
    }
    EXPECT_EQ(run(verify_audit(*database, {}))->end.seq, 2 * limits::audit_page_max + 1);
}

TEST_F(AuditServiceTest, a_head_that_was_kept_is_found_again_or_missed) {
    append(3);
    const AuditHead kept = *run(sign_audit_head(*database, now));
    EXPECT_TRUE(crypto::is_signed(kept));
    append(2);
    const auto verify_with = [this](AuditAnchors anchors) {
        return run(verify_audit(*database, std::move(anchors)))->problem.value_or("");
    };
    EXPECT_EQ(verify_with({{kept.position.seq, kept.position.hash}}), "");
    EXPECT_EQ(verify_with({{2, kept.position.hash}}), "entry 2 is not the one known elsewhere");
    EXPECT_EQ(verify_with({{6, kept.position.hash}}),
              "the audit ends with entry 5, but entry 6 is known elsewhere");
}

TEST_F(AuditServiceTest, a_receipt_is_signed_for_an_entry_of_a_whole_chain_only) {
    append(2);
    const auto ids = append(3);
    const auto receipt = run(sign_audit_receipt(*database, ids[1], now));
    ASSERT_TRUE(receipt);
    EXPECT_TRUE(crypto::is_signed(*receipt));
    EXPECT_EQ(receipt->link.seq, 4U);
    EXPECT_EQ(receipt->link.entry.attachment, ids[1]);
    EXPECT_EQ(receipt->head.seq, 5U);

    const auto unknown = run(sign_audit_receipt(*database, AttachmentId::random(), now));
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, Errc::not_found);

    replace_end();
    const auto refused = run(sign_audit_receipt(*database, ids[1], now));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::corrupt);
    EXPECT_FALSE(run(sign_audit_head(*database, now)));
}

TEST_F(AuditServiceTest, a_database_whose_key_is_gone_proves_nothing) {
    append(1);
    database.reset();
    database = *meta::open_sqlite({.file = folder / "meta.db"});
    const auto verdict = run(verify_audit(*database, {}));
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace satchel
