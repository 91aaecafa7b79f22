#include "service/message_changes.hpp"

#include "base/limits.hpp"
#include "meta/partners.hpp"
#include "meta/sqlite.hpp"
#include "model/api_errors.hpp"
#include "service/chat_service.hpp"
#include "service/inbound_service.hpp"
#include "service/message_service.hpp"
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

struct MessageChangesTest : testing::Test {
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
    PairLimiter limiter{clock, 0};
    MessageService messages{{*database, media, clock, limiter, [] {}}};
    InboundService inbound{{*database, media, clock}};
    ChatService chats{{*database, media, clock, ChatService::JoinsLines::yes}};
    MessageChanges changes{{*database, media, clock}};
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
    Sent send(std::vector<std::string> to) {
        SendContext context;
        context.caller = {alice, ApiKeyId::random()};
        MessageContent content;
        content.parts.emplace_back(TextPart{"hello", {}});
        return *run(messages.send_from(context, line, std::move(to), std::move(content)));
    }
    const Reason* refusal_of_edit(PartnerId who, MessageId id) {
        const auto edited = run(changes.edit({who, {}}, id, {0, "new"}));
        return edited ? nullptr : edited.error().reason;
    }
    Message shown(PartnerId who, MessageId id) { return *run(messages.message(who, id)); }
};

TEST_F(MessageChangesTest, an_edit_is_possible_until_the_window_closes_and_no_moment_longer) {
    const MessageId id = send({friend_number}).message.id;
    clock.advance(limits::message_edit_window);
    EXPECT_EQ(refusal_of_edit(alice, id), nullptr);
    clock.advance(1us);
    EXPECT_EQ(refusal_of_edit(alice, id), &reasons::state_conflict);
}

TEST_F(MessageChangesTest, a_message_is_edited_so_many_times_and_then_stays_as_it_is) {
    const MessageId id = send({friend_number}).message.id;
    for (std::uint32_t i = 0; i < limits::message_edits_max; ++i) {
        EXPECT_EQ(refusal_of_edit(alice, id), nullptr);
    }
    EXPECT_EQ(refusal_of_edit(alice, id), &reasons::state_conflict);
    EXPECT_EQ(std::get<TextPart>(shown(alice, id).parts[0]).value, "new");
}

TEST_F(MessageChangesTest, a_foreign_message_is_unknown) {
    const MessageId id = send({friend_number}).message.id;
    EXPECT_EQ(refusal_of_edit(bob, id), &reasons::message_not_found);
    EXPECT_EQ(run(changes.react({bob, {}}, id, {})).error().reason, &reasons::message_not_found);
}

TEST_F(MessageChangesTest, a_copy_of_another_partner_changes_with_the_message_and_reacts_back) {
    const Sent sent = send({bobs_line});
    ASSERT_TRUE(run(inbound.receive_between_lines(sent.chat, sent.message, bobs_line)));
    meta::ChatFilter filter;
    filter.partner = bob;
    const Chat view = run(messages.chats(filter, {.limit = 1}))->chats.at(0);
    const Message copy = run(messages.messages(bob, view.id, {.limit = 1}))->messages.at(0);
    EXPECT_EQ(refusal_of_edit(bob, copy.id), &reasons::state_conflict);
    EXPECT_EQ(refusal_of_edit(alice, sent.message.id), nullptr);
    EXPECT_EQ(std::get<TextPart>(shown(bob, copy.id).parts[0]).value, "new");

    ReactionChange love;
    ASSERT_TRUE(run(changes.react({bob, {}}, copy.id, love)));
    clock.advance(1us);
    ASSERT_TRUE(run(changes.react({alice, {}}, sent.message.id, love)));
    for (const Message& each : {shown(alice, sent.message.id), shown(bob, copy.id)}) {
        ASSERT_EQ(each.reactions.size(), 2U);
        EXPECT_EQ(each.reactions[0].who.handle, bobs_line);
        EXPECT_EQ(each.reactions[1].who.handle, line);
    }
    ASSERT_TRUE(run(messages.remove(alice, sent.message.id)));
    love.operation = ReactionChange::Operation::remove;
    EXPECT_TRUE(run(changes.react({bob, {}}, copy.id, love)));
    EXPECT_EQ(shown(bob, copy.id).reactions.size(), 1U);
}

TEST_F(MessageChangesTest, a_renamed_group_is_not_sent_to_by_its_members_but_still_written_to) {
    const Sent first = send({bobs_line, friend_number});
    const auto rename = [&](PartnerId who, ChatId chat) {
        return run(chats.update({who, {}}, chat, {"Our group", {}})).has_value();
    };
    ASSERT_TRUE(rename(alice, first.chat.id));
    const Sent second = send({bobs_line, friend_number});
    EXPECT_NE(second.chat.id, first.chat.id);

    ASSERT_TRUE(run(inbound.receive_between_lines(first.chat, first.message, bobs_line)));
    meta::ChatFilter filter;
    filter.partner = bob;
    const ChatId view = run(messages.chats(filter, {.limit = 2}))->chats.at(0).id;
    ASSERT_TRUE(rename(bob, view));
    ASSERT_TRUE(run(inbound.receive_between_lines(second.chat, second.message, bobs_line)));
    EXPECT_EQ(run(messages.chats(filter, {.limit = 2}))->chats.size(), 1U);
    EXPECT_EQ(run(messages.messages(bob, view, {.limit = 9}))->messages.size(), 2U);
}

}  // namespace
}  // namespace satchel
