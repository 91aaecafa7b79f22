// Structured log: one JSON object a line on standard error. Thread-safe.
//
// Never pass a secret, a key, a signature, a query string or a file name: the log is read by
// people who may not see them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace satchel::log {

enum class Level : std::uint8_t { debug, info, warn, error, off };

struct Field {
    std::string_view name;
    std::variant<std::string_view, std::int64_t, double, bool> value;

    Field(std::string_view n, std::string_view v) : name(n), value(v) {}
    Field(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
    Field(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
    Field(std::string_view n, bool v) : name(n), value(v) {}
    Field(std::string_view n, double v) : name(n), value(v) {}
    template <class Int>
        requires std::is_integral_v<Int>
    Field(std::string_view n, Int v) : name(n), value(static_cast<std::int64_t>(v)) {}
};

void set_level(Level level);
bool enabled(Level level);
// `event` is a stable snake_case name; details go into fields.
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void debug(std::string_view e, std::initializer_list<Field> f = {}) {
    if (enabled(Level::debug)) write(Level::debug, e, f);
}
inline void info(std::string_view e, std::initializer_list<Field> f = {}) {
    if (enabled(Level::info)) write(Level::info, e, f);
}
inline void warn(std::string_view e, std::initializer_list<Field> f = {}) {
    write(Level::warn, e, f);
}
inline void error(std::string_view e, std::initializer_list<Field> f = {}) {
    write(Level::error, e, f);
}

}  // namespace satchel::log
