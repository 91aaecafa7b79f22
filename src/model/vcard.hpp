// A contact as a file: vCard 3.0 (RFC 2426).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace satchel {

inline constexpr std::string_view vcard_content_type = "text/vcard; charset=utf-8";

struct VCard {
    std::string first_name;  // With last_name empty: the number takes their place.
    std::string last_name;
    std::string number;  // The one to use first.
    std::vector<std::string> further_numbers;
    std::string photo_url;  // Empty: none.
};

std::string vcard_text(const VCard& card);

}  // namespace satchel
