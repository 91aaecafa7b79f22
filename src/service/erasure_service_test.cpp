#include "service/erasure_service.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

TEST(ErasurePosition, comes_back_as_it_went) {
    for (const ErasurePosition position :
         {ErasurePosition{}, ErasurePosition{ErasurePosition::Phase::chats, 7, INT64_MAX},
          ErasurePosition{ErasurePosition::Phase::done, 0, 0}}) {
        const auto read = ErasurePosition::parse(position.str());
        ASSERT_TRUE(read);
        EXPECT_EQ(read->str(), position.str());
    }
}

TEST(ErasurePosition, nothing_else_is_one) {
    for (const char* text : {"", "1", "1:2", "1:2:3:4", "9:0:0", "-1:0:0", "a:b:c",
                             "1:2:", "1:2:9223372036854775808", "1 :2:3"}) {
        EXPECT_FALSE(ErasurePosition::parse(text)) << text;
    }
}

}  // namespace
}  // namespace satchel
