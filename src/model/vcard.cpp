#include "model/vcard.hpp"

namespace satchel {
namespace {

// RFC 2426 section 5: what would end a value or a line.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (static_cast<unsigned char>(c) < ' ') continue;
        if (c == '\\' || c == ';' || c == ',') out += '\\';
        out += c;
    }
    return out;
}

}  // namespace

std::string vcard_text(const VCard& card) {
    const std::string first = escaped(card.first_name);
    const std::string last = escaped(card.last_name);
    std::string whole = first;
    if (!first.empty() && !last.empty()) whole += ' ';
    whole += last;
    if (whole.empty()) whole = card.number;
    std::string out = "BEGIN:VCARD\r\nVERSION:3.0\r\n";
    out += "N:" + last + ";" + first + ";;;\r\n";
    out += "FN:" + whole + "\r\n";
    out += "TEL;TYPE=CELL,PREF:" + card.number + "\r\n";
    for (const std::string& number : card.further_numbers) {
        out += "TEL;TYPE=CELL:" + number + "\r\n";
    }
    if (!card.photo_url.empty()) out += "PHOTO;VALUE=URI:" + card.photo_url + "\r\n";
    out += "END:VCARD\r\n";
    return out;
}

}  // namespace satchel
