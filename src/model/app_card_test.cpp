#include "model/app_card.hpp"

#include "base/limits.hpp"
#include "model/api_errors.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

AppCard chess() {
    AppCard card;
    card.bundle_id = "com.example.chess";
    card.app_name = "Chess";
    card.team_id = "ABCDE12345";
    card.texts = {{"caption", "Your move"}};
    return card;
}

template <class Change>
bool is_refused(Change change, HasImage has_image = HasImage::no) {
    AppCard card = chess();
    change(card);
    const auto checked = check_app_card(card, has_image);
    return !checked && checked.error().reason == &reasons::invalid_app_card;
}

TEST(AppCardTest, names_its_app) {
    EXPECT_TRUE(check_app_card(chess(), HasImage::no));
    EXPECT_TRUE(is_refused([](AppCard& card) { card.bundle_id = ""; }));
    EXPECT_TRUE(is_refused([](AppCard& card) { card.bundle_id = "a:b"; }));
    EXPECT_TRUE(is_refused([](AppCard& card) { card.app_name = ""; }));
    EXPECT_TRUE(is_refused([](AppCard& card) { card.app_store_id = 0; }));
    for (const char* team : {"", "ABCDE1234", "ABCDE123456", "abcde12345", "ABCDE-2345"}) {
        EXPECT_TRUE(is_refused([&](AppCard& card) { card.team_id = team; })) << team;
    }
}

TEST(AppCardTest, shows_something_and_writes_over_an_image_only_if_there_is_one) {
    const auto no_texts = [](AppCard& card) { card.texts.clear(); };
    EXPECT_TRUE(is_refused(no_texts));
    EXPECT_FALSE(is_refused(no_texts, HasImage::yes));
    const auto title = [](AppCard& card) { card.texts.push_back({"image_title", "Round 2"}); };
    EXPECT_TRUE(is_refused(title));
    EXPECT_FALSE(is_refused(title, HasImage::yes));
    EXPECT_TRUE(is_refused([](AppCard& card) { card.texts = {{"caption", ""}}; }));
}

TEST(AppCardTest, leads_to_https_or_carries_data_of_bounded_length) {
    const auto with_url = [](std::string url) {
        return [url = std::move(url)](AppCard& card) { card.url = url; };
    };
    const auto filled = [](std::string start, std::size_t size) {
        start.append(size - start.size(), 'x');
        return start;
    };
    EXPECT_FALSE(is_refused(with_url(filled("https://e.com/", limits::url_characters_max))));
    EXPECT_TRUE(is_refused(with_url(filled("https://e.com/", limits::url_characters_max + 1))));
    constexpr std::size_t data_max = limits::app_card_data_url_characters_max;
    EXPECT_FALSE(is_refused(with_url(filled("data:,", data_max))));
    EXPECT_TRUE(is_refused(with_url(filled("data:,", data_max + 1))));
    EXPECT_TRUE(is_refused(with_url("http://e.com/")));
}

}  // namespace
}  // namespace satchel
