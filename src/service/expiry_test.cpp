// What is ephemeral is there until its last microsecond and nowhere after it, swept or not; then
// nothing of it is left.
#include "base/limits.hpp"
#include "gateway/sandbox.hpp"
#include "meta/database_suite.hpp"
#include "meta/message_removal.hpp"
#include "meta/partners.hpp"
#include "meta/sqlite.hpp"
#include "model/api_errors.hpp"
#include "service/attachment_service.hpp"
#include "service/deletion_service.hpp"
#include "service/delivery_worker.hpp"
#include "service/inbound_service.hpp"
#include "service/message_changes.hpp"
#include "service/message_expiry.hpp"
#include "service/message_service.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/memory_blob_store.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

using test::run;
using namespace std::chrono_literals;

const std::string line = "+15550100001";
const std::string friend_number = "+15551234567";

struct ExpiryTest : testing::Test {
    meta::Waiter waiter;
    test::TempFolder folder;
    const crypto::KeyRing keys = test::new_master_key();
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    test::MemoryBlobStore blobs;
    std::unique_ptr<meta::Database> database =
        *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});
    crypto::sigv4::Presigner presigner{{"satchel", "secret", "local"}};
    UrlMaker urls{{"http://a.test", "http://a.test", "http://cdn.test"}, presigner};
    ContentInspector inspector{{blobs}};
    MediaService media{{*database, blobs, keys, clock, urls, {}, inspector}};
    OpenDownloads downloads;
    AttachmentService attachments{{*database, blobs, keys, clock, {}, inspector, downloads}};
    DeletionService deletions{{*database, blobs, clock, downloads}};
    MessageExpiry expiry{{*database, clock}};
    PairLimiter limiter{clock, 0};
    MessageService messages{{*database, media, clock, limiter, [] {}}};
    MessageChanges changes{{*database, media, clock}};
    InboundService inbound{{*database, media, clock}};
    gateway::Sandbox sandbox{clock};
    DeliveryWorker worker{{*database, media, inbound, sandbox, clock}};
    const PartnerId alice = add_partner();

    template <class Work>
    auto write(Work work) {
        return run(database->write(std::move(work)));
    }
    template <class Work>
    auto read(Work work) {
        return run(database->read(std::move(work)));
    }
    PartnerId add_partner() {
        const Partner partner{PartnerId::random(), "alice", clock.now(), std::nullopt};
        EXPECT_TRUE(write([&](meta::Session& session) -> Result<> {
            CHECK(meta::insert_partner(session, partner));
            return meta::insert_line(session, {line, partner.id, clock.now()});
        }));
        return partner.id;
    }
    void set_tiers(Tier media_tier, Tier message_tier) {
        EXPECT_TRUE(*write([=](meta::Session& session) {
            return meta::set_line_tiers(session, line, media_tier, message_tier);
        }));
    }
    AttachmentId store(Tier tier) {
        BytesSource source(as_bytes("\xff\xd8\xff\xe0 a photo"));
        auto staged = run(media.stage({alice, "photo.jpg", "image/jpeg"}, source));
        EXPECT_TRUE(
            write([&](meta::Session& session) { return media.keep(session, *staged, tier); }));
        EXPECT_TRUE(run(media.confirm({*staged})));
        return staged->media.id;
    }
    MessageContent content(std::vector<NewPart> parts) {
        MessageContent out;
        out.parts = std::move(parts);
        return out;
    }
    SendContext as_alice() {
        SendContext context;
        context.caller = {alice, ApiKeyId::random()};
        return context;
    }
    Result<Sent> send(MessageContent what) {
        return run(messages.send_from(as_alice(), line, {friend_number}, std::move(what)));
    }
    Result<std::optional<Media>> part_of(AttachmentId id) {
        return read([&](meta::Session& session) { return media.find(session, {id, {}}); });
    }
    Result<Sendable> sendable(AttachmentId id) {
        return read([&](meta::Session& session) { return media.sendable(session, alice, id); });
    }
    void advance(Duration by) {
        clock.advance(std::chrono::duration_cast<std::chrono::seconds>(by));
    }
    void sweep() {
        for (int i = 0; i < 20; ++i) {
            const auto gone = run(expiry.sweep_messages());
            const auto events = run(expiry.sweep_events());
            const auto rows = run(deletions.sweep_rows());
            const auto removed = run(deletions.sweep_blobs());
            ASSERT_TRUE(gone && events && rows && removed);
            if (*gone + *events + *rows + *removed == 0) return;
        }
        FAIL() << "the sweeper never ends";
    }
    std::size_t blob_count() { return run(blobs.list())->blobs.size(); }
    template <class T>
    const Reason* reason_of(const Result<T>& result) {
        return result ? nullptr : result.error().reason;
    }
};

TEST_F(ExpiryTest, an_attachment_is_refused_everywhere_at_its_hour_before_anything_was_swept) {
    const AttachmentId id = store(Tier::ephemeral);
    const auto sendable_before = sendable(id);
    ASSERT_TRUE(sendable_before);
    advance(limits::ephemeral_life - 1s);
    EXPECT_TRUE(run(attachments.find(alice, id)));
    EXPECT_TRUE(run(attachments.find_for_download(alice, id, {}, UrlKind::is_signed)));
    EXPECT_TRUE(part_of(id)->has_value());
    EXPECT_TRUE(run(media.stage_copy({id, {}}, alice))->has_value());
    advance(1s);
    const Reason* const gone = &reasons::attachment_not_found;
    EXPECT_EQ(reason_of(run(attachments.find(alice, id))), gone);
    for (const UrlKind kind : {UrlKind::is_signed, UrlKind::permanent}) {
        EXPECT_EQ(reason_of(run(attachments.find_for_download(alice, id, {}, kind))), gone);
    }
    EXPECT_EQ(reason_of(run(deletions.remove(alice, id, {"delete", "key:x"}))), gone);
    EXPECT_EQ(reason_of(sendable(id)), gone);
    EXPECT_EQ(reason_of(send(content({MediaReference{id, {}}}))), gone);
    EXPECT_EQ(reason_of(write([&](meta::Session& session) {
                  return media.mark_sent(session, *sendable_before);
              })),
              gone);
    EXPECT_FALSE(part_of(id)->has_value());
    EXPECT_FALSE(run(media.stage_copy({id, {}}, alice))->has_value());
    EXPECT_GE(blob_count(), 1U) << "all that with the bytes still there";
    sweep();
    EXPECT_FALSE(*read([&](meta::Session& s) { return meta::find_stored_attachment(s, id); }));
    EXPECT_EQ(deletions.expired(), 1U);
}

TEST_F(ExpiryTest, a_sweep_ends_early_for_a_write_that_waits) {
    constexpr std::size_t count = 2 * limits::due_rows_per_look + 1;
    for (std::size_t i = 0; i < count; ++i) store(Tier::ephemeral);
    advance(limits::ephemeral_life);
    meta::Gate gate;
    std::optional<Result<>> held;
    std::optional<Result<std::size_t>> swept;
    std::optional<Result<>> other;
    std::optional<Result<>> opened;
    waiter.start(database->write(gate.work()), held);
    waiter.start(deletions.sweep_rows(), swept);
    waiter.start(database->write([](meta::Session&) -> Result<> { return {}; }), other);
    waiter.start(meta::Gate::release(gate), opened);
    waiter.run();
    EXPECT_EQ(**swept, limits::due_rows_per_look);
    EXPECT_EQ(*run(deletions.sweep_rows()), count - limits::due_rows_per_look)
        << "nobody waits now";
}

TEST_F(ExpiryTest, a_sweep_goes_on_when_the_row_that_it_looked_at_has_gone) {
    const meta::AttachmentRow lapsed = meta::pending_row(alice);
    ASSERT_LT(lapsed.sweep_at, clock.now());
    EXPECT_TRUE(write([&](meta::Session& s) { return meta::insert_attachment(s, lapsed); }));
    store(Tier::ephemeral);
    advance(limits::ephemeral_life);
    meta::Gate gate;
    std::optional<Result<>> held;
    std::optional<Result<>> removed;
    std::optional<Result<std::size_t>> swept;
    std::optional<Result<>> opened;
    const auto remove = [&lapsed](meta::Session& session) -> Result<> {
        TRY([[maybe_unused]] const auto gone,
            meta::remove_attachment(session, meta::deletion_of(lapsed)));
        return {};
    };
    waiter.start(database->write(gate.work()), held);
    waiter.start(database->write(remove, meta::Erases::yes), removed);
    waiter.start(deletions.sweep_rows(), swept);
    waiter.start(meta::Gate::release(gate), opened);
    waiter.run();
    EXPECT_EQ(**swept, 1U);
}

TEST_F(ExpiryTest, a_blob_that_cannot_be_unlinked_keeps_no_other_from_being) {
    for (int i = 0; i < 3; ++i) store(Tier::ephemeral);
    advance(limits::ephemeral_life);
    ASSERT_EQ(*run(deletions.sweep_rows()), 3U);
    blobs.fail_next();
    EXPECT_EQ(*run(deletions.sweep_blobs()), 2U);
    EXPECT_EQ(blob_count(), 1U);
    sweep();
    EXPECT_EQ(blob_count(), 0U);
}

TEST_F(ExpiryTest, a_persistent_attachment_does_not_mind_the_time) {
    const AttachmentId id = store(Tier::persistent);
    advance(1000 * 24h);
    sweep();
    EXPECT_TRUE(run(attachments.find(alice, id)));
    EXPECT_TRUE(run(attachments.find_for_download(alice, id)));
}

TEST_F(ExpiryTest, only_a_signed_url_leads_to_an_ephemeral_attachment) {
    const AttachmentId id = store(Tier::ephemeral);
    EXPECT_FALSE(run(attachments.find_for_download(alice, id)));
    EXPECT_TRUE(run(attachments.find_for_download(alice, id, {}, UrlKind::is_signed)));
    const auto part = part_of(id);
    ASSERT_TRUE(part && *part);
    EXPECT_TRUE((*part)->url.starts_with("http://cdn.test/attachments/signed/"));
    const auto own = media.own_reference(alice, (*part)->url);
    ASSERT_TRUE(own);
    EXPECT_EQ(*own, id) << "whoever has it may send it by its URL";
    EXPECT_FALSE(media.own_reference(PartnerId::random(), (*part)->url));
}

TEST_F(ExpiryTest, a_send_switches_what_an_ephemeral_line_sends_and_the_clock_runs_from_creation) {
    const AttachmentId id = store(Tier::persistent);
    advance(23h);
    set_tiers(Tier::ephemeral, Tier::persistent);
    const auto sent = send(content({MediaReference{id, {}}}));
    ASSERT_TRUE(sent);
    const auto& shown = std::get<MediaPart>(sent->message.parts.front()).media;
    EXPECT_NE(shown->url.find("/attachments/signed/"), std::string::npos);
    EXPECT_FALSE(run(attachments.find_for_download(alice, id)));
    advance(1h);
    sweep();
    EXPECT_FALSE(run(attachments.find(alice, id)));
    EXPECT_EQ(blob_count(), 0U);
    const auto message = run(messages.message(alice, sent->message.id));
    ASSERT_TRUE(message);
    EXPECT_FALSE(std::get<MediaPart>(message->parts.front()).media);
}

TEST_F(ExpiryTest, what_is_older_than_a_day_is_not_switched_but_refused) {
    const AttachmentId id = store(Tier::persistent);
    advance(24h);
    set_tiers(Tier::ephemeral, Tier::persistent);
    EXPECT_EQ(reason_of(send(content({MediaReference{id, {}}}))), &reasons::state_conflict);
    sweep();
    EXPECT_TRUE(run(attachments.find_for_download(alice, id)));
}

TEST_F(ExpiryTest, a_partner_wide_tier_holds_for_what_is_made_and_leaves_what_was) {
    const AttachmentId before = store(Tier::persistent);
    ASSERT_TRUE(*write([&](meta::Session& session) {
        return meta::set_partner_tier(session, alice, Tier::ephemeral);
    }));
    const auto made = run(attachments.create(alice, {"a.txt", "text/plain", 5}));
    ASSERT_TRUE(made);
    EXPECT_EQ(made->tier, Tier::ephemeral);
    ASSERT_TRUE(send(content({MediaReference{before, {}}})));
    advance(48h);
    sweep();
    EXPECT_TRUE(run(attachments.find(alice, before)));
    EXPECT_FALSE(run(attachments.find(alice, made->id)));
}

// Each way to a message, at its last second and a second later, with nothing swept in between.
TEST_F(ExpiryTest, a_message_is_refused_everywhere_at_its_hour_before_anything_was_swept) {
    set_tiers(Tier::ephemeral, Tier::ephemeral);
    MessageContent first = content({TextPart{"for a day", {}}});
    first.idempotency_key = "once";
    const auto sent = send(first);
    ASSERT_TRUE(sent);
    const MessageId id = sent->message.id;
    const auto gone = [&](bool expected) {
        EXPECT_EQ(!run(messages.message(alice, id)), expected);
        EXPECT_EQ(run(messages.messages(alice, sent->chat.id, {.limit = 10}))->messages.empty(),
                  expected);
        EXPECT_EQ(!run(messages.thread(alice, id, meta::Order::ascending, {.limit = 10})),
                  expected);
        EXPECT_EQ(!send(first), expected);
        ReactionChange love;
        love.type = ReactionType::love;
        EXPECT_EQ(!run(changes.react({alice, "t"}, id, love)), expected);
    };
    advance(limits::ephemeral_life - 1s);
    gone(false);
    advance(1s);
    gone(true);
    MessageContent reply = content({TextPart{"re", {}}});
    reply.reply_to = ReplyTo{id, 0};
    EXPECT_EQ(reason_of(run(messages.send_to_chat(as_alice(), sent->chat.id, reply))),
              &reasons::message_not_found);
    EXPECT_EQ(reason_of(run(messages.remove(alice, id))), &reasons::message_not_found);
    EXPECT_EQ(reason_of(send(first)), &reasons::message_not_found);
    sweep();
    EXPECT_EQ(expiry.removed_messages(), 1U);
    EXPECT_EQ(reason_of(send(first)), &reasons::message_not_found) << "the key never sends again";
    EXPECT_TRUE(run(messages.chat(alice, sent->chat.id))) << "the chat stays";
}

TEST_F(ExpiryTest, a_message_that_was_not_delivered_in_time_is_not_delivered_later) {
    set_tiers(Tier::ephemeral, Tier::ephemeral);
    const auto sent = send(content({TextPart{"late", {}}}));
    ASSERT_TRUE(sent);
    const auto jobs = write([&](meta::Session& session) {
        return meta::lease_jobs(session, delivery_job, clock.now(), clock.now() + 1min, 10);
    });
    ASSERT_EQ(jobs->size(), 1U);
    advance(24h);
    auto settle = run(worker.attempt(jobs->front()));
    ASSERT_TRUE(settle);
    ASSERT_TRUE(write([&](meta::Session& session) { return (*settle)(session); }));
    sweep();
    const auto left =
        read([](meta::Session& s) { return meta::expired_messages(s, Time::max(), 9); });
    EXPECT_TRUE(left->empty());
}

TEST_F(ExpiryTest, what_came_with_an_ephemeral_message_leaves_in_the_same_moment) {
    set_tiers(Tier::ephemeral, Tier::ephemeral);
    BytesSource source(as_bytes("\xff\xd8\xff\xe0 a photo"));
    auto staged = run(media.stage({alice, "in.jpg", "image/jpeg"}, source));
    ASSERT_TRUE(staged);
    const AttachmentId id = staged->media.id;
    advance(30s);  // As long as the rest of it took.
    InboundMessage in;
    in.line = line;
    in.from = friend_number;
    in.parts.emplace_back(std::move(*staged));
    const auto message = run(inbound.receive(std::move(in)));
    ASSERT_TRUE(message);
    advance(24h - 1s);
    EXPECT_TRUE(run(attachments.find(alice, id)));
    EXPECT_TRUE(run(messages.message(alice, message->id)));
    advance(1s);
    EXPECT_FALSE(run(attachments.find(alice, id)));
    EXPECT_FALSE(run(messages.message(alice, message->id)));
    sweep();
    EXPECT_EQ(blob_count(), 0U);
}

}  // namespace
}  // namespace satchel
