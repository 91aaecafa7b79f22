#include "http/message.hpp"

#include "http/head.hpp"

namespace satchel::http {

std::optional<std::string_view> Request::header(std::string_view name) const {
    for (const auto& [field, value] : headers) {
        if (field.size() == name.size() && equal_ignoring_case(field, name)) return value;
    }
    return std::nullopt;
}

}  // namespace satchel::http
