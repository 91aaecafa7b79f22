#include "webhook/chat_events.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace satchel::webhook {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr Time noon{1'770'120'000s};
constexpr std::string_view trace = "8af9171a45022df2eb74ba4e4c83be0f";

struct ChatEvents : testing::Test {
    const Chat chat{.id = ChatId::random(),
                    .partner = PartnerId::random(),
                    .line = "+12025551234",
                    .is_group = true,
                    .handles = {{.id = HandleId::random(), .handle = "+12025551234", .is_me = true},
                                {.id = HandleId::random(), .handle = "+12025559876"}}};

    json::object data_of(const Event& event, std::string_view type) {
        EXPECT_EQ(event.type, type);
        EXPECT_TRUE(is_webhook_event_type(event.type));
        EXPECT_EQ(event.partner, chat.partner);
        EXPECT_EQ(event.phone_number, chat.line);
        EXPECT_EQ(event.data_2025_01_01, event.data_2026_02_03);
        auto data = json::parse(event.data_2026_02_03).as_object();
        EXPECT_EQ(data.at("chat_id").as_string(), chat.id.str());
        return data;
    }
};

TEST_F(ChatEvents, a_participant_comes_and_goes_with_its_time) {
    const ChatHandle& who = chat.handles[1];
    const auto added = data_of(
        participant_changed(chat, who, ParticipantChange::added, noon, trace), "participant.added");
    EXPECT_EQ(added.size(), 4U);
    EXPECT_EQ(added.at("handle"), "+12025559876");
    EXPECT_EQ(added.at("participant").at("id").as_string(), who.id.str());
    EXPECT_EQ(added.at("added_at").as_string(), to_rfc3339(noon));
    const auto removed =
        data_of(participant_changed(chat, who, ParticipantChange::removed, noon, trace),
                "participant.removed");
    EXPECT_EQ(removed.at("removed_at").as_string(), to_rfc3339(noon));
    EXPECT_FALSE(removed.contains("added_at"));
}

TEST_F(ChatEvents, typing_names_only_the_chat) {
    for (const auto& [typing, type] :
         {std::pair{Typing::started, "chat.typing_indicator.started"},
          std::pair{Typing::stopped, "chat.typing_indicator.stopped"}}) {
        EXPECT_EQ(data_of(typing_changed(chat, typing, noon, trace), type).size(), 1U);
    }
}

TEST_F(ChatEvents, a_group_s_name_and_icon_tell_the_old_and_the_new) {
    const auto named = data_of(
        group_updated(chat, {.detail = GroupDetail::name, .new_value = "Team"}, noon, trace),
        "chat.group_name_updated");
    EXPECT_EQ(named.size(), 5U);
    EXPECT_TRUE(named.at("old_value").is_null());
    EXPECT_EQ(named.at("new_value"), "Team");
    EXPECT_TRUE(named.at("changed_by_handle").at("is_me").as_bool());
    const auto bare = data_of(
        group_updated(chat, {.detail = GroupDetail::icon, .old_value = "https://a.example/i.png"},
                      noon, trace),
        "chat.group_icon_updated");
    EXPECT_EQ(bare.at("old_value"), "https://a.example/i.png");
    EXPECT_TRUE(bare.at("new_value").is_null());
}

}  // namespace
}  // namespace satchel::webhook
