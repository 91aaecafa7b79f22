// The text forms that Signature V4 is computed over, for service s3. Private to this folder.
//
// Encoded text is "canonical" if every byte but the unreserved ones (A-Z a-z 0-9 - _ . ~) stands
// as '%' and two upper-case hex digits.
#pragma once

#include "base/clock.hpp"
#include "crypto/sigv4.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::crypto::sigv4 {

inline constexpr std::size_t query_parameters_max = 64;

void append_encoded(std::string& out, std::string_view text);

struct Parameter {
    std::string name;  // Both canonical.
    std::string value;
    auto operator<=>(const Parameter&) const = default;
};

enum class Readable : std::uint8_t {
    yes,
    no,         // Not a query string of name=value pairs, or more than query_parameters_max.
    ambiguous,  // Decodes, but is not what a signer writes: lower-case hex, '+'.
};

// The parameters of a raw query, sorted by name, then value. Reserved characters that a client
// left or made plain ('/', ';') are encoded again, as S3 does.
Readable parse_query(std::string_view query, std::vector<Parameter>& out);

// "name:value\n" for each of `names`, which are lower case. False if the request lacks one of
// them or a value has control characters.
bool append_headers(std::string& out,
                    std::span<const std::string_view> names,
                    std::span<const NamedValue> headers);

bool equal_ignoring_case(std::string_view text, std::string_view lower_case);

std::string to_amz_date(Time time);                         // 20130524T000000Z, rounded down.
std::optional<Time> parse_amz_date(std::string_view text);  // Of exactly that form.

}  // namespace satchel::crypto::sigv4
