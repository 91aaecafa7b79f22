#include "service/message_service.hpp"

#include "base/limits.hpp"
#include "gateway/sandbox.hpp"
#include "meta/attachments.hpp"
#include "meta/jobs.hpp"
#include "meta/partners.hpp"
#include "meta/sqlite.hpp"
#include "model/api_errors.hpp"
#include "service/delivery_worker.hpp"
#include "service/inbound_service.hpp"
#include "tests/support/memory_blob_store.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

using test::run;
using namespace std::chrono_literals;

const std::string line = "+15550100001";
const std::string bobs_line = "+15550100002";
const std::string friend_number = "+15551234567";

crypto::KeyRing make_keys(const std::filesystem::path& file) {
    const auto made = crypto::KeyRing::create(file);
    EXPECT_TRUE(made);
    return *crypto::KeyRing::open(file);
}

struct MessageServiceTest : testing::Test {
    test::TempFolder folder;
    crypto::KeyRing keys = make_keys(folder / "master.key");
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    test::MemoryBlobStore blobs;
    std::unique_ptr<meta::Database> database =
        *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});
    crypto::sigv4::Presigner presigner{{"satchel", "secret", "local"}};
    UrlMaker urls{{"http://a.test", "http://a.test", "http://cdn.test"}, presigner};
    ContentInspector inspector{{blobs}};
    MediaService media{{*database, blobs, keys, clock, urls, {}, inspector}};
    PairLimiter limiter{clock, 30};
    MessageService service{{*database, media, clock, limiter, [] {}}};
    InboundService inbound{{*database, media, clock}};
    gateway::Sandbox sandbox{clock};
    DeliveryWorker worker{{*database, media, inbound, sandbox, clock}};
    const PartnerId alice = add_partner("alice", line);
    const PartnerId bob = add_partner("bob", bobs_line);

    PartnerId add_partner(std::string name, const std::string& number) {
        const Partner partner{PartnerId::random(), std::move(name), clock.now(), std::nullopt};
        auto insert = [&](meta::Session& session) -> Result<> {
            CHECK(meta::insert_partner(session, partner));
            return meta::insert_line(session, {number, partner.id, clock.now()});
        };
        EXPECT_TRUE(run(database->write(insert)));
        return partner.id;
    }
    SendContext as(PartnerId partner) {
        SendContext context;
        context.caller = {partner, ApiKeyId::random()};
        return context;
    }
    AttachmentId store(PartnerId owner, std::string_view bytes) {
        BytesSource source(as_bytes(bytes));
        auto staged = run(media.stage({owner, "photo.jpg", "image/jpeg"}, source));
        EXPECT_TRUE(staged);
        auto keep = [&](meta::Session& session) {
            return media.keep(session, *staged, Tier::persistent);
        };
        EXPECT_TRUE(run(database->write(keep)));
        EXPECT_TRUE(run(media.confirm({*staged})));
        return staged->media.id;
    }
    void remove(PartnerId owner, AttachmentId id) {
        auto removal = [&](meta::Session& session) -> Result<> {
            CHECK(meta::remove_attachment(session, {clock.now(), owner, id, "delete", "test"}));
            return {};
        };
        EXPECT_TRUE(run(database->write(removal)));
    }
    static MessageContent content(std::vector<NewPart> parts, std::optional<std::string> key = {}) {
        MessageContent out;
        out.parts = std::move(parts);
        out.idempotency_key = std::move(key);
        return out;
    }
    static TextPart text(std::string value) { return {std::move(value), {}}; }
    static MediaReference reference(AttachmentId id) { return {id, {}}; }

    Result<Sent> send(MessageContent what, std::vector<std::string> to = {friend_number}) {
        return run(service.send_from(as(alice), line, std::move(to), std::move(what)));
    }
    // Takes every waiting job to its end, as the runner does.
    void deliver() {
        auto take = [&](meta::Session& session) {
            return meta::lease_jobs(session, delivery_job, clock.now(), clock.now() + 1min, 100);
        };
        for (const meta::Job& job : *run(database->write(take))) {
            auto settle = run(worker.attempt(job));
            ASSERT_TRUE(settle);
            auto end = [&](meta::Session& session) -> Result<> {
                CHECK((*settle)(session));
                return meta::finish_job(session, job.seq);
            };
            ASSERT_TRUE(run(database->write(end)));
        }
    }
    std::uint64_t waiting_jobs() {
        auto count = [](meta::Session& session) { return meta::count_jobs(session, delivery_job); };
        return *run(database->read(count));
    }
    std::vector<Chat> chats_of(PartnerId partner) {
        meta::ChatFilter filter;
        filter.partner = partner;
        return run(service.chats(filter, {.limit = 100}))->chats;
    }
};

TEST_F(MessageServiceTest, a_send_stores_chat_message_and_job_together) {
    const AttachmentId photo = store(alice, "bytes");
    const auto sent = send(content({text("hi"), reference(photo)}));
    ASSERT_TRUE(sent);
    EXPECT_TRUE(sent->is_new_chat);
    EXPECT_EQ(waiting_jobs(), 1U);
    const auto read = run(service.message(alice, sent->message.id));
    ASSERT_TRUE(read);
    const auto& part = std::get<MediaPart>(read->parts[1]);
    EXPECT_EQ(part.media->id, photo);
    EXPECT_EQ(part.media->filename, "photo.jpg");
    EXPECT_EQ(part.media->size_bytes, 5U);
}

TEST_F(MessageServiceTest, a_refused_send_leaves_nothing) {
    const AttachmentId theirs = store(bob, "bytes");
    EXPECT_EQ(send(content({text("hi"), reference(theirs)}, "key")).error().reason,
              &reasons::attachment_not_found);
    EXPECT_EQ(send(content({reference(AttachmentId::random())})).error().reason,
              &reasons::attachment_not_found);
    EXPECT_TRUE(chats_of(alice).empty());
    EXPECT_EQ(waiting_jobs(), 0U);
    EXPECT_TRUE(send(content({text("hi")}, "key")));  // The key was not used up.
}

TEST_F(MessageServiceTest, another_partners_line_chat_and_message_are_unknown) {
    const auto sent = send(content({text("hi")}));
    EXPECT_EQ(
        run(service.send_from(as(bob), line, {friend_number}, content({text("x")}))).error().reason,
        &reasons::phone_permission_denied);
    EXPECT_EQ(
        run(service.send_to_chat(as(bob), sent->chat.id, content({text("x")}))).error().reason,
        &reasons::resource_not_found);
    EXPECT_EQ(run(service.message(bob, sent->message.id)).error().reason,
              &reasons::message_not_found);
    EXPECT_EQ(run(service.remove(bob, sent->message.id)).error().reason,
              &reasons::message_not_found);
    EXPECT_TRUE(run(service.message(alice, sent->message.id)));
}

TEST_F(MessageServiceTest, an_idempotency_key_belongs_to_its_partner) {
    const auto first = send(content({text("hi")}, "key"));
    const auto again = send(content({text("something else")}, "key"));
    EXPECT_EQ(again->message.id, first->message.id);
    const auto other =
        run(service.send_from(as(bob), bobs_line, {friend_number}, content({text("x")}, "key")));
    EXPECT_NE(other->message.id, first->message.id);
    EXPECT_EQ(waiting_jobs(), 2U);
}

TEST_F(MessageServiceTest, a_replayed_answer_is_the_first_one_whatever_came_since) {
    const auto first = send(content({text("hi")}, "key"));
    deliver();
    const auto again = send(content({text("hi")}, "key"));
    EXPECT_EQ(again->message.status, DeliveryStatus::pending);
    EXPECT_EQ(again->message.sent_at, std::nullopt);
    ASSERT_TRUE(run(service.remove(alice, first->message.id)));
    EXPECT_EQ(send(content({text("hi")}, "key")).error().reason, &reasons::message_not_found);
}

TEST_F(MessageServiceTest, a_part_whose_attachment_is_deleted_keeps_its_place) {
    const AttachmentId photo = store(alice, "bytes");
    const auto sent = send(content({reference(photo), text("caption")}));
    remove(alice, photo);
    const auto read = run(service.message(alice, sent->message.id));
    EXPECT_FALSE(std::get<MediaPart>(read->parts[0]).media);
    EXPECT_EQ(std::get<TextPart>(read->parts[1]).value, "caption");
    deliver();
    EXPECT_EQ(run(service.message(alice, sent->message.id))->status, DeliveryStatus::delivered);
}

TEST_F(MessageServiceTest, a_line_of_this_server_receives_a_copy_once) {
    const AttachmentId photo = store(alice, "bytes");
    const auto sent = send(content({text("hi"), reference(photo)}), {bobs_line});
    ASSERT_TRUE(sent);
    const auto chat = run(service.chat(alice, sent->chat.id));
    const auto message = run(service.message(alice, sent->message.id));
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(run(inbound.receive_between_lines(*chat, *message, bobs_line)));
    }
    const auto theirs = chats_of(bob);
    ASSERT_EQ(theirs.size(), 1U);
    const auto page = run(service.messages(bob, theirs[0].id, {.limit = 10}));
    ASSERT_EQ(page->messages.size(), 1U);
    const Message& copy = page->messages[0];
    EXPECT_EQ(copy.sender.handle, line);
    EXPECT_EQ(copy.direction, Direction::inbound);
    const auto& part = std::get<MediaPart>(copy.parts[1]);
    remove(alice, photo);
    EXPECT_NE(part.media->id, photo);
    EXPECT_EQ(part.media->size_bytes, 5U);
}

TEST_F(MessageServiceTest, the_fate_of_a_message_is_written_to_it) {
    const auto failed = send(content({text("hi")}), {"+15551230401"});
    const auto waiting = send(content({text("hi")}), {"+15551230499"});
    deliver();
    EXPECT_EQ(run(service.message(alice, failed->message.id))->status, DeliveryStatus::failed);
    EXPECT_EQ(run(service.message(alice, waiting->message.id))->sent_at, std::nullopt);
    EXPECT_EQ(waiting_jobs(), 0U);
}

TEST_F(MessageServiceTest, a_message_that_is_deleted_before_its_delivery_is_not_sent) {
    const auto sent = send(content({text("hi")}), {bobs_line});
    ASSERT_TRUE(run(service.remove(alice, sent->message.id)));
    deliver();
    EXPECT_TRUE(chats_of(bob).empty());
    EXPECT_EQ(waiting_jobs(), 0U);
}

TEST_F(MessageServiceTest, forty_parts_may_be_downloaded_and_our_own_urls_do_not_count) {
    const AttachmentId photo = store(alice, "bytes");
    const std::string own =
        "http://cdn.test/attachments/partners/" + alice.str() + "/" + photo.str() + "/photo.jpg";
    const std::vector<NewPart> references(41, MediaReference{std::nullopt, own});
    EXPECT_TRUE(send(content(references)));
    const std::vector<NewPart> downloads(41, MediaReference{std::nullopt, "https://a.test/b.jpg"});
    EXPECT_EQ(send(content(downloads)).error().reason, &reasons::invalid_message_content);
}

TEST_F(MessageServiceTest, thirty_messages_a_minute_reach_one_recipient) {
    for (int i = 0; i < 30; ++i) ASSERT_TRUE(send(content({text("hi")})));
    const auto refused = send(content({text("hi")}));
    EXPECT_EQ(refused.error().reason, &reasons::rate_limited);
    EXPECT_EQ(refused.error().retry_after_seconds, 60U);
    EXPECT_TRUE(send(content({text("hi")}), {"+15551234568"}));
    clock.advance(60s);
    EXPECT_TRUE(send(content({text("hi")})));
}

TEST_F(MessageServiceTest, bytes_from_elsewhere_are_kept_whole_at_every_size_around_a_batch) {
    for (const std::size_t size :
         {std::size_t{1}, limits::transfer_buffer_bytes - 1, limits::transfer_buffer_bytes,
          limits::transfer_buffer_bytes + 1, 2 * limits::transfer_buffer_bytes}) {
        const AttachmentId id = store(alice, std::string(size, 'x'));
        auto copy = run(media.stage_copy({id, {}}, bob));
        ASSERT_TRUE(copy && *copy) << size;
        EXPECT_EQ((*copy)->row.size_bytes, size);
        EXPECT_TRUE(run(media.discard({**copy})));
    }
    BytesSource nothing{ByteView{}};
    EXPECT_FALSE(run(media.stage({alice, "a.txt", "text/plain"}, nothing)));
}

TEST_F(MessageServiceTest, what_was_uploaded_again_since_it_was_found_is_not_sent) {
    const crypto::Key key = crypto::Key::random();
    meta::AttachmentRow row;
    row.id = AttachmentId::random();
    row.partner = alice;
    crypto::WrappedKey wrapped = keys.wrap(row.id, key);
    row.wrapped_key = std::move(wrapped.bytes);
    row.key_version = wrapped.version;
    row.sealed_name =
        crypto::seal_once(crypto::name_key(key), row.id.bytes(), as_bytes("photo.jpg"));
    row.content_type = "image/jpeg";
    row.size_bytes = 3;
    row.state = AttachmentState::complete;
    row.blob = BlobId::random();
    ASSERT_TRUE(run(database->write(
        [row](meta::Session& session) { return meta::insert_attachment(session, row); })));
    const auto found = run(database->read(
        [&](meta::Session& session) { return media.sendable(session, alice, row.id); }));
    ASSERT_TRUE(found);
    auto mark = [&](meta::Session& session) { return media.mark_sent(session, *found); };
    auto upload_again = [&](meta::Session& session) -> Result<> {
        std::vector<BlobId> replaced;
        const meta::StoredUpload again{
            .id = row.id, .state = AttachmentState::complete, .blob = BlobId::random()};
        TRY([[maybe_unused]] const auto stored, meta::store_upload(session, again, replaced));
        return {};
    };
    ASSERT_TRUE(run(database->write(upload_again)));
    EXPECT_EQ(run(database->write(mark)).error().reason, &reasons::state_conflict);
}

}  // namespace
}  // namespace satchel
