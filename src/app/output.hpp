// What commands print: aligned tables for people, JSON for programs, one line for errors.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::app {

enum class Format : std::uint8_t { text, json };

struct Table {
    std::vector<std::string> head;
    std::vector<std::vector<std::string>> rows;
};
// Columns two blanks apart, lines without blanks at their end.
std::string aligned(const Table& table);

// Control characters and what is not UTF-8 replaced, so that text from elsewhere cannot steer a
// terminal.
std::string printable(std::string_view text);

std::string human_size(std::uint64_t bytes);  // 1.2 MB; below 1000: 999 B

// Writes to standard output; the head of a table is bold on a terminal.
void print(std::string_view text);
void print_table(const Table& table);

// The one line an operator sees.
std::string operator_message(const Error& error);

// An error that has nothing but a line for the operator.
std::unexpected<Error> refuse(std::string message, Errc code = Errc::invalid_argument);

}  // namespace satchel::app
