#include "model/message_rules.hpp"

#include "model/api_errors.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

TextPart text(std::string value, std::vector<TextDecoration> decorations = {}) {
    return {std::move(value), std::move(decorations)};
}

TEST(MessageRulesTest, a_recipient_is_a_phone_number_or_an_email_address) {
    for (const auto* good :
         {"+15551234567", "+4930123456", "ann@example.com", "a+b@mail.test.org"}) {
        EXPECT_TRUE(check_handle(good)) << good;
    }
    for (const auto* bad :
         {"", "15551234567", "+05551234567", "+1", "+1555123456789012", "+1555x"}) {
        EXPECT_EQ(check_handle(bad).error().reason, &reasons::invalid_phone_number) << bad;
    }
    for (const auto* bad : {"@example.com", "ann@", "ann@host", "a b@example.com", "a@b@c.d"}) {
        EXPECT_EQ(check_handle(bad).error().reason, &reasons::invalid_parameter) << bad;
    }
}

TEST(MessageRulesTest, recipients_are_a_set_of_at_most_31) {
    EXPECT_EQ(check_recipients({"+15551234567", "a@b.de", "+15551234567"})->size(), 2U);
    EXPECT_FALSE(check_recipients({}));
    std::vector<std::string> many;
    for (int i = 0; i < 31; ++i) many.push_back("+1555123" + std::to_string(1000 + i));
    EXPECT_TRUE(check_recipients(many));
    many.emplace_back("+15559999999");
    EXPECT_FALSE(check_recipients(many));
}

TEST(MessageRulesTest, a_mention_s_range_lies_within_the_text_and_belongs_to_a_mention) {
    const auto mentioned = [](std::string whom, TextRange range) {
        TextPart part{"Hi Ann", {}};
        part.mention = std::move(whom);
        part.mention_range = range;
        return check_text(part).has_value();
    };
    EXPECT_TRUE(mentioned("+15551234567", {3, 6}));
    EXPECT_FALSE(mentioned("+15551234567", {3, 7}));
    EXPECT_FALSE(mentioned("+15551234567", {3, 3}));
    EXPECT_FALSE(mentioned("", {3, 6}));
}

TEST(MessageRulesTest, a_text_has_up_to_10000_characters_however_many_bytes_they_take) {
    std::string euros;
    for (int i = 0; i < 10'000; ++i) euros += "\u20ac";
    EXPECT_TRUE(check_text(text(euros)));
    EXPECT_FALSE(check_text(text(euros + "x")));
    EXPECT_FALSE(check_text(text("")));
}

TEST(MessageRulesTest, decorations_count_utf16_units_and_stay_within_the_text) {
    const std::string smile = "\U0001F600";  // Two units.
    EXPECT_TRUE(check_text(text(smile, {{0, 2, "bold", ""}})));
    EXPECT_FALSE(check_text(text(smile, {{0, 3, "bold", ""}})));
    EXPECT_FALSE(check_text(text("abc", {{1, 1, "bold", ""}})));
    EXPECT_FALSE(check_text(text("abc", {{0, 1, "bold", "shake"}})));
    EXPECT_FALSE(check_text(text("abc", {{0, 1, "", ""}})));
    EXPECT_FALSE(check_text(text("abc", {{0, 1, "blink", ""}})));
}

TEST(MessageRulesTest, styles_may_overlap_and_animations_may_not) {
    EXPECT_TRUE(check_text(text("abcdef", {{0, 4, "bold", ""}, {2, 6, "italic", ""}})));
    EXPECT_FALSE(check_text(text("abcdef", {{0, 4, "bold", ""}, {2, 6, "", "shake"}})));
    EXPECT_TRUE(check_text(text("abcdef", {{0, 2, "bold", ""}, {2, 6, "", "shake"}})));
}

TEST(MessageRulesTest, effects_belong_to_their_kind) {
    EXPECT_EQ(make_effect("screen", "confetti")->type, EffectType::screen);
    EXPECT_EQ(make_effect("bubble", "slam")->name, "slam");
    EXPECT_FALSE(make_effect("bubble", "confetti"));
    EXPECT_FALSE(make_effect("nonsense", "slam"));
}

TEST(MessageRulesTest, opt_out_words_stand_alone_and_are_exact) {
    for (const auto* word :
         {"STOP", " QUIT\n", "UNSUBSCRIBE", "opt out", "Opt-Out", "OPTOUT", "optout"}) {
        EXPECT_TRUE(is_opt_out(word)) << word;
    }
    for (const auto* word : {"stop", "STOP it", "", " ", "opt  out", "Quit"}) {
        EXPECT_FALSE(is_opt_out(word)) << word;
    }
}

TEST(MessageRulesTest, links_are_found_in_text) {
    EXPECT_TRUE(contains_link("see HTTPS://example.com"));
    EXPECT_TRUE(contains_link("www.example.com"));
    EXPECT_FALSE(contains_link("nothing to see, e.g. here"));
}

}  // namespace
}  // namespace satchel
