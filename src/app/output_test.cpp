#include "app/output.hpp"

#include <gtest/gtest.h>

namespace satchel::app {
namespace {

TEST(Aligned, columns_begin_at_one_place_and_lines_have_no_blanks_at_their_end) {
    const Table table{{"ID", "NAME", "NOTE"}, {{"1", "Zoë", ""}, {"22", "x", "y"}, {"3", "", "z"}}};
    EXPECT_EQ(aligned(table),
              "ID  NAME  NOTE\n"
              "1   Zoë\n"
              "22  x     y\n"
              "3         z\n");
}

TEST(Printable, what_could_steer_a_terminal_is_replaced) {
    EXPECT_EQ(printable("a\033[31mb\n\x7f"), "a?[31mb??");
    EXPECT_EQ(printable("\xC2\x9B"
                        "c"),
              "?c");
    EXPECT_EQ(printable("\xff\xC3"), "??");
    EXPECT_EQ(printable("Zoë 写真"), "Zoë 写真");
}

TEST(HumanSize, has_one_decimal_from_a_kilobyte_on) {
    EXPECT_EQ(human_size(0), "0 B");
    EXPECT_EQ(human_size(999), "999 B");
    EXPECT_EQ(human_size(1000), "1.0 kB");
    EXPECT_EQ(human_size(999'999), "1.0 MB");
    EXPECT_EQ(human_size(104'857'600), "104.9 MB");
}

TEST(OperatorMessage, is_the_first_text_there_is) {
    static const Reason reason{1003, 400, Errc::invalid_argument, "public"};
    EXPECT_EQ(operator_message({Errc::internal, &reason, "own", "detail"}), "own");
    EXPECT_EQ(operator_message({Errc::internal, &reason, "", "detail"}), "public");
    EXPECT_EQ(operator_message({Errc::internal, nullptr, "", "detail"}), "detail");
    EXPECT_NE(operator_message({}), "");
}

}  // namespace
}  // namespace satchel::app
