// Query parameters: contract section 1.9.
#pragma once

#include "base/result.hpp"
#include "service/message_service.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::api {

// The first value of `name`, decoded; '+' is a blank. reasons::invalid_parameter for a broken
// escape.
Result<std::optional<std::string>> query_value(std::string_view query, std::string_view name);
// All values of `name` or `name[]`, each split at its commas. A leading blank was a '+'.
Result<std::vector<std::string>> query_handles(std::string_view query, std::string_view name);

// reasons::invalid_parameter unless it is absent or min <= value <= max.
Result<std::optional<std::uint32_t>> query_number(std::string_view query,
                                                  std::string_view name,
                                                  std::uint32_t min,
                                                  std::uint32_t max);

// limit and cursor. reasons::invalid_parameter unless 1 <= limit <= max.
Result<PageRequest> query_page(std::string_view query, std::size_t standard, std::size_t max);

}  // namespace satchel::api
