#include "base/uuid.hpp"

#include <gtest/gtest.h>

#include <set>
#include <unordered_set>

namespace satchel {
namespace {

constexpr std::string_view sample = "550e8400-e29b-41d4-a716-446655440000";

TEST(UuidTest, text_comes_back_in_lower_case) {
    EXPECT_EQ(Uuid::parse(sample)->str(), sample);
    EXPECT_EQ(Uuid::parse("550E8400-E29B-41D4-A716-446655440000")->str(), sample);
}

TEST(UuidTest, ordered_ones_sort_by_their_millisecond) {
    const Time start{std::chrono::seconds(1'800'000'000)};
    const Uuid first = Uuid::ordered(start);
    const Uuid second = Uuid::ordered(start + std::chrono::milliseconds(1));
    EXPECT_LT(first, second);
    EXPECT_EQ(first.str()[14], '7');
    EXPECT_NE(Uuid::ordered(start), first);
}

TEST(UuidTest, only_the_canonical_form_is_read) {
    for (const std::string_view text :
         {"", "550e8400e29b41d4a716446655440000", "{550e8400-e29b-41d4-a716-446655440000}",
          "550e8400-e29b-41d4-a716-44665544000", "550e8400-e29b-41d4-a716-4466554400000",
          "550e8400-e29b-41d4-a716-44665544000g", "550e8400-e29b-41d4-a716_446655440000",
          "550e840-0e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-4466-5440000",
          " 50e8400-e29b-41d4-a716-446655440000"}) {
        EXPECT_EQ(Uuid::parse(text), std::nullopt) << text;
    }
    EXPECT_EQ(Uuid::parse(std::string(36, '-')), std::nullopt);
    EXPECT_EQ(Uuid::parse(std::string(36, '\0')), std::nullopt);
}

TEST(UuidTest, random_ones_are_of_version_4_and_differ) {
    std::set<Uuid> seen;
    for (int i = 0; i < 1000; ++i) {
        const Uuid uuid = Uuid::random();
        const std::string text = uuid.str();
        EXPECT_EQ(text[14], '4');
        EXPECT_NE(std::string_view("89ab").find(text[19]), std::string_view::npos) << text;
        EXPECT_EQ(Uuid::parse(text), uuid);
        seen.insert(uuid);
    }
    EXPECT_EQ(seen.size(), 1000U);
}

TEST(UuidTest, raw_bytes_are_the_text_in_order) {
    const auto uuid = Uuid::parse("00010203-0405-0607-0809-0a0b0c0d0e0f");
    for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(uuid->bytes[i], static_cast<std::byte>(i));
    EXPECT_EQ(Uuid::from_bytes(uuid->bytes), *uuid);
}

TEST(IdTest, an_id_can_be_read_compared_and_kept_in_a_hash_set) {
    using TestId = Id<struct TestTag>;
    const auto id = TestId::parse(sample);
    ASSERT_TRUE(id.has_value());
    EXPECT_EQ(id->str(), sample);
    EXPECT_EQ(TestId::parse("no id"), std::nullopt);
    std::unordered_set<TestId, IdHash> ids{*id, TestId::random()};
    EXPECT_TRUE(ids.contains(*id));
    EXPECT_FALSE(ids.contains(TestId::random()));
}

}  // namespace
}  // namespace satchel
