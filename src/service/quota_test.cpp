#include "service/quota.hpp"

#include "base/limits.hpp"
#include "meta/sqlite.hpp"
#include "meta/usage.hpp"
#include "model/api_errors.hpp"
#include "service/attachment_service.hpp"
#include "service/deletion_service.hpp"
#include "tests/support/memory_blob_store.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

using test::run;

crypto::KeyRing make_keys(const std::filesystem::path& file) {
    EXPECT_TRUE(crypto::KeyRing::create(file));
    return *crypto::KeyRing::open(file);
}

struct QuotaTest : testing::Test {
    test::TempFolder folder;
    crypto::KeyRing keys = make_keys(folder / "master.key");
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    test::MemoryBlobStore blobs;
    std::unique_ptr<meta::Database> database =
        *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});
    ContentInspector inspector{{blobs}};
    OpenDownloads downloads;
    DeletionService deletions{{*database, blobs, clock, downloads}};
    const PartnerId alice = PartnerId::random();

    AttachmentService::Parts with(Quota quota) {
        return {*database, blobs, keys, clock, {}, inspector, downloads, nullptr, quota};
    }
    Result<Attachment> create(AttachmentService& service, std::int64_t size, PartnerId partner) {
        return run(service.create(partner, {"a.jpg", "image/jpeg", size}));
    }
    meta::Usage usage(PartnerId partner) const {
        const auto found = run(database->read(
            [partner](meta::Session& session) { return meta::usage_of(session, partner); }));
        return found.value().usage;
    }
    void give(PartnerId partner, const OwnLimits& own) const {
        EXPECT_TRUE(run(database->write([partner, own](meta::Session& session) {
            return meta::store_limits(session, partner, own);
        })));
    }
    void sweep() {
        while (run(deletions.sweep_rows()).value() > 0) {
        }
    }
};

// Many creates at one moment, all on one loop.
struct Tally {
    int made = 0;
    std::vector<const Reason*> refusals;
};
Tally create_at_once(AttachmentService& service, PartnerId partner, int count) {
    Tally tally;
    test::KeptLoop kept;
    for (int i = 0; i < count; ++i) {
        asio::co_spawn(kept.loop(), service.create(partner, {"a.jpg", "image/jpeg", 10}),
                       [&tally](const std::exception_ptr& thrown, Result<Attachment> made) {
                           EXPECT_FALSE(thrown);
                           if (made) {
                               ++tally.made;
                           } else {
                               tally.refusals.push_back(made.error().reason);
                           }
                       });
    }
    kept.loop().run();
    return tally;
}

TEST_F(QuotaTest, of_a_thousand_creates_at_once_exactly_as_many_succeed_as_there_is_room_for) {
    for (const Quota quota : {Quota{.files = 100}, Quota{.bytes = 1'009}, Quota{.pending = 100}}) {
        const PartnerId partner = PartnerId::random();
        AttachmentService service(with(quota));
        const Tally tally = create_at_once(service, partner, 1000);
        EXPECT_EQ(tally.made, 100);
        ASSERT_EQ(tally.refusals.size(), 900U);
        const Reason* expected =
            quota.pending > 0 ? &reasons::rate_limited : &reasons::quota_exceeded;
        for (const Reason* refusal : tally.refusals) EXPECT_EQ(refusal, expected);
        EXPECT_EQ(usage(partner).files(), 100U);
        EXPECT_EQ(usage(partner).bytes(), 1'000U);
    }
}

TEST_F(QuotaTest, room_comes_back_with_what_goes) {
    AttachmentService service(with({.files = 2}));
    const auto first = create(service, 10, alice);
    ASSERT_TRUE(first && create(service, 10, alice));
    EXPECT_EQ(create(service, 10, alice).error().reason, &reasons::quota_exceeded);
    EXPECT_TRUE(create(service, 10, PartnerId::random())) << "another partner has its own";
    ASSERT_TRUE(run(deletions.remove(alice, first->id, {"delete", "key:1"})));
    EXPECT_TRUE(create(service, 10, alice));
    EXPECT_FALSE(create(service, 10, alice));
    clock.advance(limits::upload_window);
    sweep();
    EXPECT_EQ(usage(alice).files(), 0U) << "an upload that lapsed has nothing";
    EXPECT_TRUE(create(service, 10, alice));
}

TEST_F(QuotaTest, bytes_are_reserved_as_announced_to_the_last_one) {
    AttachmentService service(with({.bytes = 100}));
    EXPECT_FALSE(create(service, 101, alice));
    EXPECT_TRUE(create(service, 60, alice));
    EXPECT_FALSE(create(service, 41, alice));
    EXPECT_TRUE(create(service, 40, alice));
    EXPECT_FALSE(create(service, 1, alice));
}

TEST_F(QuotaTest, a_refusal_says_which_limit_and_how_long_to_wait_where_waiting_helps) {
    AttachmentService files(with({.files = 1}));
    AttachmentService pending(with({.pending = 1}));
    ASSERT_TRUE(create(files, 10, alice));
    const Error full = create(files, 10, alice).error();
    EXPECT_EQ(full.message,
              "The account may store at most 1 files. Delete attachments, or ask whoever runs the "
              "service for more");
    EXPECT_EQ(full.retry_after_seconds, 0U);
    EXPECT_GT(create(pending, 10, alice).error().retry_after_seconds, 0U);
}

TEST_F(QuotaTest, a_partners_own_limit_goes_before_the_servers_and_zero_is_none) {
    AttachmentService service(with({.files = 1}));
    const PartnerId bob = PartnerId::random();
    give(alice, {.files = 2});
    give(bob, {.files = 0});
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(create(service, 10, alice));
    EXPECT_FALSE(create(service, 10, alice));
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(create(service, 10, bob));
}

TEST_F(QuotaTest, an_upload_that_had_failed_needs_a_place_again) {
    AttachmentService service(with({.files = 1}));
    const auto failed = create(service, 10, alice);
    ASSERT_TRUE(failed);
    const auto may_complete = [&] {
        return run(database->write([&](meta::Session& session) {
            return admit_again(session, {.files = 1}, failed->id);
        }));
    };
    EXPECT_TRUE(may_complete()) << "its place is reserved";
    clock.advance(limits::upload_window);
    sweep();
    EXPECT_TRUE(may_complete());
    ASSERT_TRUE(create(service, 10, alice));
    EXPECT_EQ(may_complete().error().reason, &reasons::quota_exceeded);
}

}  // namespace
}  // namespace satchel
