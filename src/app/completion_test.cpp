#include "app/completion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace satchel::app {
namespace {

using testing::HasSubstr;

const CommandNode root{
    "satchel", {"--help"}, {{"partner", {}, {{"add", {"--json"}, {}}}}, {"health", {}, {}}}};

TEST(Completion, each_command_has_its_own_candidates) {
    for (const char* shell : {"bash", "zsh"}) {
        const auto script = completion_script(shell, root);
        ASSERT_TRUE(script) << shell;
        EXPECT_THAT(*script, HasSubstr("\"\") candidates=\"partner health --help\""));
        EXPECT_THAT(*script, HasSubstr("\"partner\") candidates=\"add\""));
        EXPECT_THAT(*script, HasSubstr("\"partner add\") candidates=\"--json\""));
    }
}

TEST(Completion, only_bash_and_zsh_have_a_script) {
    EXPECT_FALSE(completion_script("fish", root));
}

}  // namespace
}  // namespace satchel::app
