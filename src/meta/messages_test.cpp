#include "meta/messages.hpp"

#include "meta/reactions.hpp"
#include "meta/sqlite.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace satchel::meta {
namespace {

struct MessagesTest : testing::Test {
    test::TempFolder folder;
    crypto::KeyRing keys = make_keys("master.key");
    std::unique_ptr<Database> database = open(&keys);

    crypto::KeyRing make_keys(const std::string& name) {
        EXPECT_TRUE(crypto::KeyRing::create(folder / name));
        return *crypto::KeyRing::open(folder / name);
    }
    std::unique_ptr<Database> open(const crypto::KeyRing* ring) {
        return *open_sqlite({.file = folder / "meta.db", .keys = ring});
    }
    template <class Work>
    auto write(Work work) {
        return test::run(database->write(std::move(work)));
    }
    template <class Work>
    auto read(Work work) {
        return test::run(database->read(std::move(work)));
    }

    static MessageRow message(std::string text) {
        MessageRow row;
        row.id = MessageId::random();
        row.partner = PartnerId::random();
        row.chat = 1;
        row.ordinal = 1;
        row.parts = {TextPart{std::move(text), {{0, 2, "bold", ""}}},
                     StoredMedia{AttachmentId::random(), "jpeg"}, LinkPart{"https://example.com"}};
        return row;
    }
    MessageId insert(MessageRow row) {
        EXPECT_TRUE(write([row](Session& s) mutable { return insert_message(s, row); }));
        return row.id;
    }
    Result<std::optional<MessageRow>> find(MessageId id) {
        return read([id](Session& s) { return find_message(s, id, Time{}); });
    }
    std::string stored_bytes() {
        std::string all;
        for (const char* name : {"meta.db", "meta.db-wal"}) {
            std::ifstream file(folder / name, std::ios::binary);
            all.append(std::istreambuf_iterator<char>(file), {});
        }
        return all;
    }
};

TEST_F(MessagesTest, parts_come_back_as_they_were) {
    const MessageRow row = message("héllo");
    const auto found = find(insert(row));
    ASSERT_TRUE(found && *found);
    const auto& parts = (*found)->parts;
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(std::get<TextPart>(parts[0]).value, "héllo");
    EXPECT_EQ(std::get<TextPart>(parts[0]).decorations,
              std::get<TextPart>(row.parts[0]).decorations);
    EXPECT_EQ(std::get<StoredMedia>(parts[1]).attachment,
              std::get<StoredMedia>(row.parts[1]).attachment);
    EXPECT_EQ(std::get<StoredMedia>(parts[1]).form, "jpeg");
    EXPECT_EQ(std::get<LinkPart>(parts[2]).value, "https://example.com");
}

TEST_F(MessagesTest, what_was_written_cannot_be_read_in_the_files) {
    insert(message("the launch is at noon"));
    const std::string bytes = stored_bytes();
    ASSERT_FALSE(bytes.empty());
    EXPECT_EQ(bytes.find("noon"), std::string::npos);
    EXPECT_EQ(bytes.find("example.com"), std::string::npos);
}

TEST_F(MessagesTest, parts_moved_to_another_message_do_not_open) {
    const MessageId first = insert(message("for alice"));
    MessageRow other = message("for bob");
    other.ordinal = 2;
    const MessageId second = insert(other);
    ASSERT_TRUE(write([&](Session& s) {
        return s.run(
            "UPDATE messages SET sealed_parts = (SELECT sealed_parts FROM messages "
            "WHERE id = $1) WHERE id = $2",
            first, second);
    }));
    EXPECT_EQ(find(second).error().code, Errc::corrupt);
    EXPECT_TRUE(find(first));
}

TEST_F(MessagesTest, texts_open_after_a_restart) {
    const MessageId id = insert(message("still here"));
    database.reset();
    database = open(&keys);
    EXPECT_TRUE(find(id));
}

TEST_F(MessagesTest, another_master_key_is_refused_when_opening) {
    insert(message("mine"));
    database.reset();
    const crypto::KeyRing other = make_keys("other.key");
    const auto opened = open_sqlite({.file = folder / "meta.db", .keys = &other});
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message.find("another master key"), std::string::npos);
}

TEST_F(MessagesTest, mentions_and_app_cards_come_back_as_they_were) {
    MessageRow row = message("Hi Ann");
    TextPart text{"Hi Ann", {}};
    text.mention = "+15551234567";
    text.mention_range = TextRange{3, 6};
    StoredAppCard card;
    card.card.bundle_id = "com.example.chess";
    card.card.app_name = "Chess";
    card.card.team_id = "ABCDE12345";
    card.card.app_store_id = 42;
    card.card.texts = {{"caption", "Your move"}, {"image_title", "Round 2"}};
    card.card.url = "data:,state";
    card.card.fallback_text = "A move";
    card.card.is_interactive = false;
    card.image = AttachmentId::random();
    row.parts = {text, card};
    const auto found = find(insert(row));
    ASSERT_TRUE(found && *found);
    EXPECT_EQ(encode_parts((*found)->parts), encode_parts(row.parts));
    const auto& read_text = std::get<TextPart>((*found)->parts[0]);
    EXPECT_EQ(read_text.mention, text.mention);
    EXPECT_EQ(read_text.mention_range->end, 6U);
    const auto& read_card = std::get<StoredAppCard>((*found)->parts[1]);
    EXPECT_EQ(read_card.card.texts.size(), 2U);
    EXPECT_EQ(read_card.card.app_store_id, 42);
    EXPECT_FALSE(read_card.card.is_interactive);
    EXPECT_EQ(read_card.image, card.image);
}

TEST_F(MessagesTest, a_reaction_is_sealed_replaced_and_gone_with_its_message) {
    MessageRow row = message("hello");
    ASSERT_TRUE(write([&row](Session& s) { return insert_message(s, row); }));
    ReactionRow reaction{0, 1, ReactionType::custom, "jubilation", Time{}};
    const auto store = [&](Session& s) { return store_reaction(s, row, reaction); };
    const auto all = [&](Session& s) { return reactions_of(s, row); };
    ASSERT_TRUE(write(store));
    EXPECT_EQ(read(all)->at(0).custom_emoji, "jubilation");
    EXPECT_EQ(stored_bytes().find("jubilation"), std::string::npos);
    reaction.type = ReactionType::love;
    reaction.custom_emoji.clear();
    ASSERT_TRUE(write(store));
    ASSERT_EQ(read(all)->size(), 1U);
    EXPECT_EQ(read(all)->at(0).type, ReactionType::love);
    ASSERT_TRUE(*write([&](Session& s) { return remove_message(s, row.id, row.partner, Time{}); }));
    EXPECT_TRUE(read(all)->empty());
}

TEST_F(MessagesTest, reading_marks_what_came_in_and_nothing_else) {
    MessageRow inbound = message("in");
    inbound.direction = Direction::inbound;
    inbound.status = DeliveryStatus::received;
    MessageRow outbound = message("out");
    outbound.ordinal = 2;
    MessageRow elsewhere = inbound;
    elsewhere.id = MessageId::random();
    elsewhere.chat = 2;
    for (const MessageRow& row : {inbound, outbound, elsewhere}) insert(row);
    const Time at{std::chrono::seconds(5)};
    EXPECT_EQ(*write([&](Session& s) { return mark_read(s, 1, at, 10); }), 1U);
    EXPECT_EQ(*write([&](Session& s) { return mark_read(s, 1, at, 10); }), 0U);
    EXPECT_EQ((*find(inbound.id))->status, DeliveryStatus::read);
    EXPECT_EQ((*find(inbound.id))->read_at, at);
    EXPECT_EQ((*find(outbound.id))->status, DeliveryStatus::pending);
    EXPECT_EQ((*find(elsewhere.id))->read_at, std::nullopt);
}

}  // namespace
}  // namespace satchel::meta
