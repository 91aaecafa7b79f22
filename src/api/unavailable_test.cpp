#include "api/unavailable.hpp"

#include <gtest/gtest.h>

namespace satchel::api {
namespace {

using http::Method;

TEST(UnavailableTest, a_call_is_known_by_its_method_and_path) {
    EXPECT_TRUE(is_unavailable(Method::get, "/payments/handles/x/connection"));
    EXPECT_TRUE(is_unavailable(Method::get, "/payments/x"));
    EXPECT_TRUE(is_unavailable(Method::post, "/chats/x/polls"));
    EXPECT_FALSE(is_unavailable(Method::put, "/chats/x/polls"));
    EXPECT_FALSE(is_unavailable(Method::post, "/chats//polls"));
    EXPECT_FALSE(is_unavailable(Method::post, "/chats/x/polls/y"));
    EXPECT_FALSE(is_unavailable(Method::get, "/nonsense"));
    EXPECT_FALSE(is_unavailable(Method::get, ""));
}

}  // namespace
}  // namespace satchel::api
