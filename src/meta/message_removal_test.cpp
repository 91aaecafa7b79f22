#include "meta/message_removal.hpp"

#include "meta/jobs.hpp"
#include "meta/messages.hpp"
#include "meta/reactions.hpp"
#include "meta/sqlite.hpp"
#include "meta/webhook_outbox.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace satchel::meta {
namespace {

using namespace std::chrono_literals;

constexpr Time noon{};

struct MessageRemovalTest : testing::Test {
    test::TempFolder folder;
    const crypto::KeyRing keys = test::new_master_key();
    std::unique_ptr<Database> database = *open_sqlite({.file = folder / "meta.db", .keys = &keys});
    std::int64_t ordinals = 0;

    template <class Work>
    auto write(Work work) {
        return test::run(database->write(std::move(work)));
    }
    template <class Work>
    auto read(Work work) {
        return test::run(database->read(std::move(work)));
    }

    // With a reaction, a job, an event that waits, one that was given up, and its key.
    MessageRow send(std::optional<std::int64_t> thread = {}) {
        MessageRow row;
        row.id = MessageId::random();
        row.partner = PartnerId::random();
        row.chat = 1;
        row.ordinal = ++ordinals;
        row.parts = {TextPart{"hello", {}}};
        row.thread = thread;
        row.idempotency_key = "once";
        return *write([row](Session& s) mutable -> Result<MessageRow> {
            CHECK(insert_message(s, row));
            TRY([[maybe_unused]] const bool is_new,
                insert_idempotency_key(s, row.partner, "once", row.id));
            CHECK(store_reaction(s, row, {0, 1, ReactionType::love, {}, noon}));
            CHECK(enqueue_job(s, delivery_job_kind, row.seq, noon));
            NewDelivery event{.subscription = 1, .event = EventId::random(), .body = "{}"};
            event.message = row.id;
            CHECK(insert_delivery(s, event));
            event.event = EventId::random();
            CHECK(insert_delivery(s, event));
            CHECK(give_up_deliveries(s, 1, "down", noon, 1));
            return row;
        });
    }
    std::size_t remove(std::vector<std::int64_t> seqs) {
        return *write([seqs](Session& s) { return remove_messages(s, seqs); });
    }
    OutboxCounts outbox() {
        return *read([](Session& s) { return count_outbox(s, 100); });
    }
    std::uint64_t jobs() {
        return *read([](Session& s) { return count_jobs(s, delivery_job_kind); });
    }
    bool is_there(const MessageRow& row) {
        return read([&](Session& s) { return find_message(s, row.id, noon); })->has_value();
    }
    std::size_t reactions(const MessageRow& row) {
        return read([&](Session& s) { return reactions_of(s, row); })->size();
    }
};

TEST_F(MessageRemovalTest, everything_that_hangs_from_a_message_goes_and_nothing_else) {
    const MessageRow first = send();
    const MessageRow second = send();
    ASSERT_EQ(outbox().waiting, 2U);
    ASSERT_EQ(outbox().failed, 2U);
    EXPECT_EQ(remove({first.seq}), 1U);
    EXPECT_FALSE(is_there(first));
    EXPECT_EQ(reactions(first), 0U);
    EXPECT_TRUE(is_there(second));
    EXPECT_EQ(reactions(second), 1U);
    EXPECT_EQ(jobs(), 1U);
    EXPECT_EQ(outbox().waiting + outbox().failed, 2U);
}

TEST_F(MessageRemovalTest, its_idempotency_key_never_sends_again) {
    const MessageRow row = send();
    remove({row.seq});
    const auto used =
        read([&](Session& s) { return find_idempotency_key(s, row.partner, "once"); });
    EXPECT_EQ(*used, row.id);
}

TEST_F(MessageRemovalTest, replies_keep_their_place_in_the_thread) {
    const MessageRow root = send();
    const MessageRow reply = send(root.seq);
    remove({root.seq});
    const auto thread = read(
        [&](Session& s) { return messages_of_thread(s, root.seq, 0, Order::ascending, noon, 10); });
    ASSERT_EQ(thread->size(), 1U);
    EXPECT_EQ(thread->front().id, reply.id);
}

TEST_F(MessageRemovalTest, a_number_never_means_another_message) {
    const MessageRow row = send();
    // Its delivery is under way.
    const auto leased =
        write([](Session& s) { return lease_jobs(s, delivery_job_kind, noon, noon + 1min, 10); });
    ASSERT_EQ(leased->size(), 1U);
    remove({row.seq});
    EXPECT_EQ(jobs(), 1U) << "the runner's to finish";
    EXPECT_GT(send().seq, row.seq);
}

TEST_F(MessageRemovalTest, what_is_gone_already_is_passed_over) {
    const MessageRow row = send();
    EXPECT_EQ(remove({row.seq, row.seq, 12345}), 1U);
    EXPECT_EQ(remove({row.seq}), 0U);
    EXPECT_EQ(remove({}), 0U);
}

}  // namespace
}  // namespace satchel::meta
