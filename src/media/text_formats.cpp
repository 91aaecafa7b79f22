#include "media/text_formats.hpp"

#include "media/json_head.hpp"
#include "media/text_encoding.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;

constexpr Detected vcard = exactly(Kind::contact, "text/vcard", "vCard");
constexpr Detected calendar = exactly(Kind::calendar, "text/calendar", "calendar");
constexpr Detected html = exactly(Kind::markup, "text/html", "HTML page");
constexpr Detected html_perhaps = probably(Kind::markup, "text/html", "HTML fragment");
constexpr Detected xml = exactly(Kind::markup, "text/xml", "XML document");
constexpr Detected xml_perhaps = probably(Kind::markup, "text/xml", "XML document");
constexpr Detected svg = exactly(Kind::image, "image/svg+xml", "SVG image");
constexpr Detected rtf = exactly(Kind::document, "text/rtf", "RTF document");
constexpr Detected json = exactly(Kind::text, "application/json", "JSON document");
constexpr Detected csv = probably(Kind::text, "text/csv", "CSV table");

constexpr std::string_view blanks = " \t\r\n\f";
constexpr std::size_t csv_lines_max = 10;
constexpr std::size_t csv_lines_min = 2;

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// `lower` is in lower case.
bool begins_with(std::string_view text, std::string_view lower) {
    return text.size() >= lower.size() &&
           std::ranges::equal(text.substr(0, lower.size()), lower, {}, to_lower);
}

std::string_view skip_blanks(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of(blanks), text.size()));
}

// `text` behind the next `end`; empty if there is none.
std::string_view behind(std::string_view text, std::string_view end) {
    const std::size_t at = text.find(end);
    return at == std::string_view::npos ? std::string_view() : text.substr(at + end.size());
}

// `text` begins with a name that ends here.
bool begins_with_tag(std::string_view text, std::string_view lower) {
    if (!begins_with(text, lower)) return false;
    const std::string_view rest = text.substr(lower.size());
    return rest.empty() || (blanks.find(rest.front()) != std::string_view::npos) ||
           rest.front() == '>' || rest.front() == '/';
}

// Behind a document type, which may have declarations of its own in brackets.
std::string_view behind_doctype(std::string_view text) {
    const std::size_t stop = text.find_first_of("[>");
    if (stop == std::string_view::npos) return {};
    return text[stop] == '>' ? text.substr(stop + 1) : behind(behind(text, "]"), ">");
}

// Past what may stand in front of the first element: blanks, comments, instructions, the type.
std::string_view first_element(std::string_view text) {
    while (true) {
        text = skip_blanks(text);
        if (text.starts_with("<!--")) {
            text = behind(text, "-->");
        } else if (text.starts_with("<?")) {
            text = behind(text, "?>");
        } else if (begins_with(text, "<!doctype")) {
            text = behind_doctype(text);
        } else {
            return text;
        }
    }
}

// An element named svg, perhaps with a prefix for its namespace.
bool is_svg_element(std::string_view text) {
    if (!text.starts_with('<')) return false;
    text.remove_prefix(1);
    if (begins_with_tag(text, "svg")) return true;
    const std::size_t name_end = text.find_first_of(" \t\r\n\f>/");
    const std::string_view name = text.substr(0, name_end);
    const std::size_t colon = name.find(':');
    return colon != std::string_view::npos && begins_with_tag(name.substr(colon + 1), "svg");
}

// `text` begins with "<".
Detected detect_markup(std::string_view text) {
    constexpr std::array pages{"<!doctype html"sv, "<html"sv,   "<head"sv,  "<body"sv,
                               "<script"sv,        "<iframe"sv, "<title"sv, "<style"sv};
    // What also stands in Markdown.
    constexpr std::array fragments{"<h1"sv,   "<div"sv,  "<font"sv, "<table"sv,  "<a"sv,
                                   "<b"sv,    "<br"sv,   "<p"sv,    "<img"sv,    "<span"sv,
                                   "<form"sv, "<meta"sv, "<link"sv, "<center"sv, "<ul"sv};
    const std::string_view element = first_element(text);
    if (is_svg_element(element)) return svg;
    const auto starts = [](std::string_view where) {
        return [where](std::string_view tag) { return begins_with_tag(where, tag); };
    };
    if (std::ranges::any_of(pages, starts(text)) || std::ranges::any_of(pages, starts(element))) {
        return html;
    }
    if (begins_with_tag(text, "<?xml")) {
        const bool has_name = element.find_first_of(" \t\r\n/>") != std::string_view::npos;
        return has_name ? xml : xml_perhaps;
    }
    if (std::ranges::any_of(fragments, starts(element))) return html_perhaps;
    return plain_text;
}

// How many times `separator` stands in a line outside of quotes.
std::size_t count_in_line(std::string_view line, char separator) {
    std::size_t count = 0;
    bool is_quoted = false;
    for (const char c : line) {
        if (c == '"') is_quoted = !is_quoted;
        if (c == separator && !is_quoted) ++count;
    }
    return count;
}

// The first lines have the same number of separators, and at least one.
bool is_table(std::string_view text, char separator, bool is_all) {
    std::size_t lines = 0;
    std::size_t separators = 0;
    while (lines < csv_lines_max && !text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos && !is_all) break;
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::size_t count = count_in_line(line, separator);
        if (count == 0 || (lines > 0 && count != separators)) return false;
        separators = count;
        ++lines;
    }
    return lines >= csv_lines_min;
}

bool is_csv(std::string_view text, bool is_all) {
    return std::ranges::any_of(",;\t"sv,
                               [=](char separator) { return is_table(text, separator, is_all); });
}

// A line that says which object begins (RFC 6350, RFC 5545).
bool begins_object(std::string_view text, std::string_view lower) {
    if (!begins_with(text, lower)) return false;
    const std::string_view rest = text.substr(lower.size());
    return rest.empty() || blanks.find(rest.front()) != std::string_view::npos;
}

}  // namespace

Detected detect_text(ByteView head, bool is_all) {
    const std::optional<std::string> decoded = read_text(head, is_all);
    if (!decoded) return {};
    const std::string_view text = skip_blanks(*decoded);
    if (begins_object(text, "begin:vcard")) return vcard;
    if (begins_object(text, "begin:vcalendar")) return calendar;
    if (text.starts_with("{\\rtf")) return rtf;
    if (text.starts_with('<')) return detect_markup(text);
    if (is_json_head(text, is_all)) return json;
    return is_csv(text, is_all) ? csv : plain_text;
}

}  // namespace satchel::media
