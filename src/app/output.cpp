#include "app/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace satchel::app {
namespace {

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::vector<std::size_t> column_widths(const Table& table) {
    std::vector<std::size_t> widths;
    for (const auto& name : table.head) widths.push_back(characters(name));
    for (const auto& row : table.rows) {
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
            widths[i] = std::max(widths[i], characters(row[i]));
        }
    }
    return widths;
}

std::string aligned_row(const std::vector<std::string>& row,
                        const std::vector<std::size_t>& widths) {
    std::string line;
    std::size_t pending = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (!row[i].empty()) {
            line.append(pending, ' ');
            line += row[i];
            pending = 0;
        }
        pending += widths[i] - characters(row[i]) + 2;
    }
    return line + "\n";
}

// Length of the UTF-8 sequence that begins at `at`; 0 if it is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xC2 ? 0
                               : first < 0xE0 ? 2
                               : first < 0xF0 ? 3
                               : first < 0xF5 ? 4
                                              : 0;
    if (length == 0 || at + length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((static_cast<unsigned char>(text[at + i]) & 0xC0U) != 0x80U) return 0;
    }
    return length;
}

bool is_control(std::string_view sequence) {
    const auto first = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
    // U+0080 to U+009F, which some terminals obey.
    return sequence.size() == 2 && first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

}  // namespace

std::string aligned(const Table& table) {
    const auto widths = column_widths(table);
    std::string text = aligned_row(table.head, widths);
    for (const auto& row : table.rows) text += aligned_row(row, widths);
    return text;
}

std::string printable(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = sequence_length(text, i);
        const bool is_fit = length > 0 && !is_control(text.substr(i, length));
        if (is_fit) {
            out += text.substr(i, length);
        } else {
            out += '?';
        }
        i += std::max<std::size_t>(length, 1);
    }
    return out;
}

std::string human_size(std::uint64_t bytes) {
    if (bytes < 1000) return std::to_string(bytes) + " B";
    static constexpr std::array units{"kB", "MB", "GB", "TB", "PB", "EB"};
    double value = static_cast<double>(bytes) / 1000;
    std::size_t unit = 0;
    while (value >= 999.95 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    std::array<char, 32> text{};
    const int n = std::snprintf(text.data(), text.size(), "%.1f %s", value, units[unit]);
    return {text.data(), static_cast<std::size_t>(n)};
}

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void print_table(const Table& table) {
    const std::string text = aligned(table);
    const auto head_end = text.find('\n');
    if (::isatty(STDOUT_FILENO) == 0) {
        print(text);
        return;
    }
    print("\033[1m" + text.substr(0, head_end) + "\033[0m" + text.substr(head_end));
}

std::string operator_message(const Error& error) {
    if (!error.message.empty()) return error.message;
    if (error.reason != nullptr && !error.reason->message.empty()) {
        return std::string(error.reason->message);
    }
    return error.detail.empty() ? "something went wrong; run it again with SATCHEL_LOG__LEVEL=debug"
                                : error.detail;
}

std::unexpected<Error> refuse(std::string message, Errc code) {
    Error error;
    error.code = code;
    error.message = std::move(message);
    return std::unexpected(std::move(error));
}

}  // namespace satchel::app
