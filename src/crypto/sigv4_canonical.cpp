#include "crypto/sigv4_canonical.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace satchel::crypto::sigv4 {
namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

constexpr bool is_unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

// May stand in a query as it is (RFC 3986), '&', '=' and '+' apart.
constexpr bool is_plain_reserved(char c) {
    return std::string_view("!$'()*,;:@/?").find(c) != std::string_view::npos;
}

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

void append_percent(std::string& out, char c) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += hex_digits[byte >> 4];
    out += hex_digits[byte & 15];
}

// Brings one name or value of a query to its canonical form.
Readable canonicalise(std::string_view raw, std::string& out) {
    out.reserve(raw.size());
    bool ambiguous = false;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const char c = raw[i];
        if (is_unreserved(c)) {
            out += c;
        } else if (c == '%') {
            if (raw.size() - i < 3) return Readable::no;
            const int high = hex_value(raw[i + 1]);
            const int low = hex_value(raw[i + 2]);
            if (high < 0 || low < 0) return Readable::no;
            const char decoded = static_cast<char>(static_cast<unsigned char>(high * 16 + low));
            append_percent(out, decoded);
            if (!out.ends_with(raw.substr(i, 3)) || is_unreserved(decoded)) ambiguous = true;
            i += 2;
        } else if (is_plain_reserved(c) || c == '=') {
            append_percent(out, c);
        } else if (c == '+') {
            ambiguous = true;
        } else {
            return Readable::no;
        }
    }
    return ambiguous ? Readable::ambiguous : Readable::yes;
}

// Without blanks at the ends, inner runs of blanks as one space.
bool append_trimmed(std::string& out, std::string_view value) {
    bool blank_before = false;
    bool started = false;
    for (const char c : value) {
        if (c == ' ' || c == '\t') {
            blank_before = started;
            continue;
        }
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
        if (std::exchange(blank_before, false)) out += ' ';
        out += c;
        started = true;
    }
    return true;
}

void append_digits(std::string& out, unsigned value, unsigned width) {
    for (unsigned scale = width == 4 ? 1000 : 10; scale > 0; scale /= 10) {
        out += static_cast<char>('0' + value / scale % 10);
    }
}

}  // namespace

void append_encoded(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
        } else {
            append_percent(out, c);
        }
    }
}

Readable parse_query(std::string_view query, std::vector<Parameter>& out) {
    bool ambiguous = false;
    for (bool more = true; more;) {
        const std::size_t end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        more = end != std::string_view::npos;
        if (more) query.remove_prefix(end + 1);

        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos || equals == 0) return Readable::no;
        if (out.size() == query_parameters_max) return Readable::no;
        Parameter& parameter = out.emplace_back();
        for (const Readable readable : {canonicalise(pair.substr(0, equals), parameter.name),
                                        canonicalise(pair.substr(equals + 1), parameter.value)}) {
            if (readable == Readable::no) return Readable::no;
            if (readable == Readable::ambiguous) ambiguous = true;
        }
    }
    std::ranges::sort(out);
    return ambiguous ? Readable::ambiguous : Readable::yes;
}

bool append_headers(std::string& out,
                    std::span<const std::string_view> names,
                    std::span<const NamedValue> headers) {
    for (const std::string_view name : names) {
        bool found = false;
        out += name;
        for (const auto& [received, value] : headers) {
            if (!equal_ignoring_case(received, name)) continue;
            out += std::exchange(found, true) ? ',' : ':';
            if (!append_trimmed(out, value)) return false;
        }
        if (!found) return false;
        out += '\n';
    }
    return true;
}

bool equal_ignoring_case(std::string_view text, std::string_view lower_case) {
    return std::ranges::equal(text, lower_case, {}, to_lower);
}

std::string to_amz_date(Time time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(seconds - day);
    std::string out;
    out.reserve(16);
    append_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    append_digits(out, static_cast<unsigned>(date.month()), 2);
    append_digits(out, static_cast<unsigned>(date.day()), 2);
    out += 'T';
    append_digits(out, static_cast<unsigned>(clock.hours().count()), 2);
    append_digits(out, static_cast<unsigned>(clock.minutes().count()), 2);
    append_digits(out, static_cast<unsigned>(clock.seconds().count()), 2);
    out += 'Z';
    return out;
}

std::optional<Time> parse_amz_date(std::string_view text) {
    if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
    // Year, month, day, hour, minute, second.
    static constexpr std::array<std::pair<std::size_t, std::size_t>, 6> fields{
        {{0, 4}, {4, 2}, {6, 2}, {9, 2}, {11, 2}, {13, 2}}};
    std::array<unsigned, 6> values{};
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto [from, width] = fields[i];
        const std::string_view digits = text.substr(from, width);
        const bool all_digits =
            std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
        if (!all_digits) return std::nullopt;
        for (const char c : digits) values[i] = values[i] * 10 + static_cast<unsigned>(c - '0');
    }
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(values[0])),
                                           std::chrono::month(values[1]),
                                           std::chrono::day(values[2])};
    if (!date.ok() || values[3] > 23 || values[4] > 59 || values[5] > 59) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(values[3]) +
           std::chrono::minutes(values[4]) + std::chrono::seconds(values[5]);
}

}  // namespace satchel::crypto::sigv4
