#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <string>

namespace satchel::log {
namespace {

std::atomic<Level> current_level{Level::info};

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warn:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
        case Level::off:
            return spdlog::level::off;
    }
    return spdlog::level::info;
}

// Made at the first line. Lives until the process ends, because destructors may log.
spdlog::logger& logger() {
    static spdlog::logger* const instance = [] {
        auto* made =
            new spdlog::logger("satchel", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_level(spdlog::level::trace);
        made->flush_on(spdlog::level::warn);
        made->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})",
                          spdlog::pattern_time_type::utc);
        return made;
    }();
    return *instance;
}

void append_text(std::string& out, std::string_view text) {
    static constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            out += "\\u00";
            out += hex[byte >> 4];
            out += hex[byte & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

struct AppendValue {
    std::string& out;
    void operator()(std::string_view value) const { append_text(out, value); }
    void operator()(std::int64_t value) const { out += std::to_string(value); }
    void operator()(double value) const {
        fmt::format_to(std::back_inserter(out), "{:.6g}", value);
    }
    void operator()(bool value) const { out += value ? "true" : "false"; }
};

}  // namespace

void set_level(Level level) {
    current_level = level;
}

bool enabled(Level level) {
    return level >= current_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    if (!enabled(level)) return;
    std::string line = "\"event\":";
    append_text(line, event);
    for (const Field& field : fields) {
        line += ',';
        append_text(line, field.name);
        line += ':';
        std::visit(AppendValue{line}, field.value);
    }
    logger().log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace satchel::log
