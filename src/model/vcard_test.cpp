#include "model/vcard.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

TEST(VCard, holds_name_numbers_and_photo) {
    const VCard card{.first_name = "Ada",
                     .last_name = "Lovelace",
                     .number = "+15550100001",
                     .further_numbers = {"+15550100002"},
                     .photo_url = "https://cdn.test/a.png"};
    EXPECT_EQ(vcard_text(card),
              "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Lovelace;Ada;;;\r\nFN:Ada Lovelace\r\n"
              "TEL;TYPE=CELL,PREF:+15550100001\r\nTEL;TYPE=CELL:+15550100002\r\n"
              "PHOTO;VALUE=URI:https://cdn.test/a.png\r\nEND:VCARD\r\n");
}

TEST(VCard, without_a_name_shows_the_number) {
    EXPECT_NE(vcard_text({.number = "+15550100001"}).find("FN:+15550100001\r\n"),
              std::string::npos);
}

TEST(VCard, a_name_cannot_add_lines_or_fields) {
    const std::string text =
        vcard_text({.first_name = "A;B,C\\\r\nTEL:1", .number = "+15550100001"});
    EXPECT_NE(text.find("N:;A\\;B\\,C\\\\\\nTEL:1;;;\r\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("\r\nTEL:1"), std::string::npos);
}

}  // namespace
}  // namespace satchel
