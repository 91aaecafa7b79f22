#include "http/route_pattern.hpp"

#include <gtest/gtest.h>

namespace satchel::http {
namespace {

TEST(RoutePattern, a_path_without_braces_matches_itself_alone) {
    EXPECT_EQ(match_route("/chats", "/chats"), "");
    EXPECT_EQ(match_route("/chats", "/chats/"), std::nullopt);
    EXPECT_EQ(match_route("/chats", "/chat"), std::nullopt);
    EXPECT_EQ(match_route("/chats", "/chatsx"), std::nullopt);
    EXPECT_EQ(match_route("/chats", ""), std::nullopt);
    EXPECT_EQ(match_route("/chats", "chats"), std::nullopt);
}

TEST(RoutePattern, braces_stand_for_one_segment_that_is_not_empty) {
    EXPECT_EQ(match_route("/chats/{id}", "/chats/a%2Fb"), "a%2Fb");
    EXPECT_EQ(match_route("/chats/{id}", "/chats/"), std::nullopt);
    EXPECT_EQ(match_route("/chats/{id}", "/chats/a/b"), std::nullopt);
    EXPECT_EQ(match_route("/chats/{id}/messages", "/chats/a/messages"), "a");
    EXPECT_EQ(match_route("/chats/{id}/messages", "/chats//messages"), std::nullopt);
    EXPECT_EQ(match_route("/chats/{id}/messages", "/chats/messages"), std::nullopt);
    EXPECT_EQ(match_route("/chats/{id}/messages", "/chats/a/messages/"), std::nullopt);
}

TEST(RoutePattern, of_several_segments_the_first_is_given) {
    EXPECT_EQ(match_route("/a/{}/b/{}", "/a/1/b/2"), "1");
    EXPECT_EQ(match_route("/a/{}/b/{}", "/a/1/b/"), std::nullopt);
}

}  // namespace
}  // namespace satchel::http
