#include "webhook/reaction_events.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace satchel::webhook {
namespace {

namespace json = boost::json;

TEST(ReactionEvents, say_who_reacted_to_which_part_and_how) {
    const Chat chat{.id = ChatId::random(),
                    .partner = PartnerId::random(),
                    .line = "+12025551234",
                    .handles = {{.id = HandleId::random(), .handle = "+12025551234", .is_me = true},
                                {.id = HandleId::random(), .handle = "ann@example.com"}}};
    Message message;
    message.id = MessageId::random();
    const Time at{std::chrono::seconds(1'770'120'000)};
    const Event added = reaction_changed(
        chat, message, {2, chat.handles[1], ReactionType::custom, "\U0001F389", at},
        ReactionChange::added, {});
    EXPECT_EQ(added.type, "reaction.added");
    EXPECT_TRUE(is_webhook_event_type(added.type));
    EXPECT_EQ(added.phone_number, chat.line);
    EXPECT_EQ(added.data_2025_01_01, added.data_2026_02_03);
    const auto data = json::parse(added.data_2026_02_03).as_object();
    EXPECT_EQ(data.size(), 11U);
    EXPECT_EQ(data.at("chat_id").as_string(), chat.id.str());
    EXPECT_EQ(data.at("message_id").as_string(), message.id.str());
    EXPECT_EQ(data.at("part_index").as_int64(), 2);
    EXPECT_EQ(data.at("reaction_type"), "custom");
    EXPECT_EQ(data.at("custom_emoji"), "\U0001F389");
    EXPECT_EQ(data.at("from"), "ann@example.com");
    EXPECT_EQ(data.at("from_handle").at("handle"), "ann@example.com");
    EXPECT_FALSE(data.at("is_from_me").as_bool());
    EXPECT_TRUE(data.at("sticker").is_null());
    EXPECT_EQ(data.at("service"), "iMessage");
    EXPECT_EQ(data.at("reacted_at").as_string(), to_rfc3339(at));

    const Event removed =
        reaction_changed(chat, message, {0, chat.handles[0], ReactionType::love, {}, at},
                         ReactionChange::removed, {});
    EXPECT_EQ(removed.type, "reaction.removed");
    const auto gone = json::parse(removed.data_2026_02_03).as_object();
    EXPECT_TRUE(gone.at("is_from_me").as_bool());
    EXPECT_TRUE(gone.at("custom_emoji").is_null());
}

}  // namespace
}  // namespace satchel::webhook
