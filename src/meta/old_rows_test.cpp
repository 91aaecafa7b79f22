#include "meta/old_rows.hpp"

#include "meta/edge_purges.hpp"
#include "meta/messages.hpp"
#include "meta/sqlite.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace satchel::meta {
namespace {

using std::chrono::hours;
using test::run;

constexpr Time noon{std::chrono::seconds(1'800'000'000)};

struct OldRowsTest : testing::Test {
    test::TempFolder folder;
    crypto::KeyRing keys = test::new_master_key();
    std::unique_ptr<Database> database = *open_sqlite({.file = folder / "meta.db", .keys = &keys});
    const PartnerId partner = PartnerId::random();
    std::int64_t ordinal = 0;

    template <class Work>
    auto write(Work work) {
        return run(database->write(std::move(work)));
    }
    MessageRow add(Time at) {
        MessageRow row;
        row.id = MessageId::ordered(at);
        row.partner = partner;
        row.chat = 1;
        row.ordinal = ++ordinal;
        row.created_at = row.updated_at = at;
        row.parts.emplace_back(TextPart{"hello", {}});
        auto added = write([row](Session& session) mutable -> Result<MessageRow> {
            CHECK(insert_message(session, row));
            return row;
        });
        EXPECT_TRUE(added);
        return *added;
    }
    std::vector<std::int64_t> before(Time time, std::size_t max = 10) {
        return *run(database->read(
            [time, max](Session& session) { return messages_before(session, time, max); }));
    }
};

TEST_F(OldRowsTest, messages_are_found_by_when_their_ids_were_made_oldest_first) {
    const auto young = add(noon);
    const auto old = add(noon - hours(2));
    const auto middle = add(noon - hours(1));
    EXPECT_EQ(before(noon), (std::vector{old.seq, middle.seq}));
    EXPECT_EQ(before(noon, 1), std::vector{old.seq});
    EXPECT_EQ(before(noon + hours(1)), (std::vector{old.seq, middle.seq, young.seq}));
    EXPECT_TRUE(before(noon - hours(2)).empty());
    const auto oldest =
        run(database->read([](Session& session) { return oldest_message(session); }));
    EXPECT_EQ(**oldest, noon - hours(2));
}

TEST_F(OldRowsTest, a_time_before_1970_finds_nothing) {
    add(noon);
    EXPECT_TRUE(before(Time{hours(-1)}).empty());
    EXPECT_TRUE(before(Time{hours(-24 * 365 * 60)}).empty());
}

TEST_F(OldRowsTest, keys_say_whether_their_message_is_gone) {
    const auto kept = add(noon - hours(2));
    const MessageId gone = MessageId::ordered(noon - hours(1));
    const MessageId young = MessageId::ordered(noon);
    ASSERT_TRUE(write([&](Session& session) -> Result<> {
        for (const auto& [key, message] :
             {std::pair{"kept", kept.id}, std::pair{"gone", gone}, std::pair{"young", young}}) {
            TRY([[maybe_unused]] const bool is_new,
                insert_idempotency_key(session, partner, key, message));
        }
        return {};
    }));
    const auto rows = *run(database->read(
        [](Session& session) { return idempotency_keys_after(session, MessageId{}, noon, 10); }));
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].key, "kept");
    EXPECT_FALSE(rows[0].message_is_gone);
    EXPECT_EQ(rows[1].key, "gone");
    EXPECT_TRUE(rows[1].message_is_gone);
    ASSERT_TRUE(
        write([&rows](Session& session) { return remove_idempotency_key(session, rows[1]); }));
    const auto found = run(database->read(
        [this](Session& session) { return find_idempotency_key(session, partner, "gone"); }));
    EXPECT_FALSE(*found);
}

TEST_F(OldRowsTest, a_purge_is_a_row_and_a_job_and_both_can_be_dropped) {
    const EdgePurge purge{partner, AttachmentId::random(), {"jpeg", "voice"}};
    ASSERT_TRUE(
        write([purge](Session& session) { return insert_edge_purge(session, purge, noon); }));
    const auto found =
        *run(database->read([](Session& session) { return find_edge_purge(session, 1); }));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->attachment, purge.attachment);
    EXPECT_EQ(found->forms, purge.forms);
    EXPECT_EQ(*write([](Session& session) { return drop_edge_purges(session, 10); }), 1U);
    EXPECT_FALSE(*run(database->read([](Session& session) { return has_edge_purges(session); })));
}

}  // namespace
}  // namespace satchel::meta
