#include "fetch/fair_queue.hpp"

#include <gtest/gtest.h>

namespace satchel::fetch {
namespace {

struct FairQueueTest : testing::Test {
    FairQueue<std::string> queue{
        {.running_max = 4, .running_per_key_max = 2, .waiting_per_key_max = 3}};

    bool push(const std::string& key, std::string item) { return queue.push(key, item); }
    std::string pop_all() {
        std::string all;
        while (auto item = queue.pop()) all += *item + " ";
        return all;
    }
};

TEST_F(FairQueueTest, keys_take_turns_whoever_came_first) {
    for (const char* item : {"a1", "a2", "a3"}) EXPECT_TRUE(push("a", item));
    for (const char* item : {"b1", "b2"}) EXPECT_TRUE(push("b", item));
    EXPECT_EQ(pop_all(), "a1 b1 a2 b2 ");
}

TEST_F(FairQueueTest, a_key_has_no_more_than_its_share_even_if_places_are_free) {
    for (const char* item : {"a1", "a2", "a3"}) EXPECT_TRUE(push("a", item));
    EXPECT_EQ(pop_all(), "a1 a2 ");
    queue.done("a");
    EXPECT_EQ(pop_all(), "a3 ");
}

TEST_F(FairQueueTest, no_more_run_than_there_are_places) {
    for (const char* key : {"a", "b", "c"}) {
        EXPECT_TRUE(push(key, std::string(key) + "1"));
        EXPECT_TRUE(push(key, std::string(key) + "2"));
    }
    EXPECT_EQ(pop_all(), "a1 b1 c1 a2 ");
    queue.done("b");
    EXPECT_EQ(pop_all(), "b2 ");
}

TEST_F(FairQueueTest, a_full_line_refuses_and_others_do_not_notice) {
    for (const char* item : {"a1", "a2", "a3"}) EXPECT_TRUE(push("a", item));
    EXPECT_FALSE(push("a", "a4"));
    EXPECT_TRUE(push("b", "b1"));
}

TEST_F(FairQueueTest, what_is_taken_out_never_runs_and_the_rest_keeps_its_order) {
    for (const char* item : {"a1", "a2", "a3"}) EXPECT_TRUE(push("a", item));
    EXPECT_TRUE(push("b", "b1"));
    const auto taken =
        queue.take_waiting([](const std::string& item) { return item == "a1" || item == "b1"; });
    EXPECT_EQ(taken.size(), 2u);
    EXPECT_EQ(pop_all(), "a2 a3 ");
    EXPECT_FALSE(queue.anyone_waits());
    EXPECT_TRUE(push("b", "b2"));
    EXPECT_EQ(pop_all(), "b2 ");
}

}  // namespace
}  // namespace satchel::fetch
