#include "media/forbidden_content.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;

constexpr std::array forbidden_magic{
    "MZ"sv,  // DOS and Windows.
    "\x7f"
    "ELF"sv,               // Linux and the BSDs.
    "\xfe\xed\xfa\xce"sv,  // Mach-O, 32 bit, either byte order.
    "\xce\xfa\xed\xfe"sv,
    "\xfe\xed\xfa\xcf"sv,  // Mach-O, 64 bit.
    "\xcf\xfa\xed\xfe"sv,
    "\xca\xfe\xba\xbe"sv,  // Mach-O for several processors; Java class files begin the same.
    "\xbe\xba\xfe\xca"sv,
    "\xca\xfe\xba\xbf"sv,  // The same with 64-bit offsets.
    "\xbf\xba\xfe\xca"sv,
    "fLaC"sv,
    "OggS"sv,
};

// AMR audio begins as a script would (RFC 4867 section 5).
constexpr std::array amr_magic{
    "#!AMR\n"sv,
    "#!AMR-WB\n"sv,
    "#!AMR_MC1.0\n"sv,
    "#!AMR-WB_MC1.0\n"sv,
};

}  // namespace

bool is_forbidden_content(ByteView head) {
    const std::string_view text = as_text(head);
    const auto begins = [text](std::string_view magic) { return text.starts_with(magic); };
    if (text.starts_with("#!")) return std::ranges::none_of(amr_magic, begins);
    return std::ranges::any_of(forbidden_magic, begins);
}

}  // namespace satchel::media
