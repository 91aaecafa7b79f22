#include "api/query.hpp"

#include "base/bytes.hpp"
#include "model/api_errors.hpp"

namespace satchel::api {
namespace {

Result<std::string> decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
            continue;
        }
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const auto byte = from_hex(text.substr(i + 1, 2));
        if (!byte || byte->size() != 1) {
            return fail(reasons::invalid_parameter, "The query has a broken percent escape");
        }
        out += static_cast<char>(byte->front());
        i += 2;
    }
    return out;
}

// Calls `take` with each decoded name and raw value.
template <class Take>
Result<> each_parameter(std::string_view query, Take take) {
    while (!query.empty()) {
        const auto end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        const auto equals = pair.find('=');
        TRY(const std::string name, decode(pair.substr(0, equals)));
        const auto value =
            equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
        CHECK(take(name, value));
    }
    return {};
}

}  // namespace

Result<std::optional<std::string>> query_value(std::string_view query, std::string_view name) {
    std::optional<std::string> out;
    CHECK(each_parameter(query, [&](const std::string& each, std::string_view value) -> Result<> {
        if (each == name && !out) {
            TRY(out, decode(value));
        }
        return {};
    }));
    return out;
}

Result<std::vector<std::string>> query_handles(std::string_view query, std::string_view name) {
    std::vector<std::string> out;
    const std::string bracketed = std::string(name) + "[]";
    CHECK(each_parameter(query, [&](const std::string& each, std::string_view value) -> Result<> {
        if (each != name && each != bracketed) return {};
        TRY(const std::string decoded, decode(value));
        std::string_view rest = decoded;
        while (!rest.empty()) {
            const auto comma = rest.find(',');
            std::string handle(rest.substr(0, comma));
            rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
            if (handle.starts_with(' ')) handle.front() = '+';
            if (!handle.empty()) out.push_back(std::move(handle));
        }
        return {};
    }));
    return out;
}

Result<std::optional<std::uint32_t>> query_number(std::string_view query,
                                                  std::string_view name,
                                                  std::uint32_t min,
                                                  std::uint32_t max) {
    TRY(const auto text, query_value(query, name));
    if (!text) return std::optional<std::uint32_t>{};
    const auto number = parse_u64(*text);
    if (!number || *number < min || *number > max) {
        return fail(reasons::invalid_parameter, std::string(name) + " must be between " +
                                                    std::to_string(min) + " and " +
                                                    std::to_string(max));
    }
    return std::optional(static_cast<std::uint32_t>(*number));
}

Result<PageRequest> query_page(std::string_view query, std::size_t standard, std::size_t max) {
    PageRequest page;
    TRY(const auto limit, query_number(query, "limit", 1, static_cast<std::uint32_t>(max)));
    page.limit = limit.value_or(static_cast<std::uint32_t>(standard));
    TRY(page.cursor, query_value(query, "cursor"));
    return page;
}

}  // namespace satchel::api
