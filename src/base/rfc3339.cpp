#include "base/rfc3339.hpp"

namespace satchel {
namespace {

constexpr std::size_t seconds_end = 19;  // 2026-01-02T03:04:05

// Reads a text from its front.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool failed() const { return failed_; }
    bool at_end() const { return text_.empty(); }

    // Exactly `digits` digits, as a number of at most `max`.
    int number(std::size_t digits, int max) {
        int value = 0;
        if (text_.size() < digits) failed_ = true;
        for (std::size_t i = 0; i < digits && !failed_; ++i) {
            if (!is_digit(text_[i])) failed_ = true;
            value = value * 10 + (text_[i] - '0');
        }
        if (failed_ || value > max) {
            failed_ = true;
            return 0;
        }
        text_.remove_prefix(digits);
        return value;
    }

    bool take(char c) {
        if (text_.empty() || text_.front() != c) return false;
        text_.remove_prefix(1);
        return true;
    }
    void expect(char c) {
        if (!take(c)) failed_ = true;
    }

    // What stands behind a decimal point.
    Duration fraction() {
        std::int64_t micros = 0;
        std::int64_t unit = 100'000;
        if (text_.empty() || !is_digit(text_.front())) failed_ = true;
        while (!text_.empty() && is_digit(text_.front())) {
            micros += (text_.front() - '0') * unit;
            unit /= 10;
            text_.remove_prefix(1);
        }
        return Duration{micros};
    }

private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

    std::string_view text_;
    bool failed_ = false;
};

std::chrono::minutes offset(Reader& reader) {
    if (reader.take('Z')) return {};
    const bool is_west = reader.take('-');
    if (!is_west) reader.expect('+');
    const std::chrono::hours hours(reader.number(2, 23));
    reader.expect(':');
    const std::chrono::minutes all = hours + std::chrono::minutes(reader.number(2, 59));
    return is_west ? -all : all;
}

}  // namespace

std::optional<Time> parse_rfc3339(std::string_view text) {
    if (text.size() <= seconds_end) return std::nullopt;
    Reader reader(text);
    const std::chrono::year year(reader.number(4, 9999));
    reader.expect('-');
    const std::chrono::month month(static_cast<unsigned>(reader.number(2, 12)));
    reader.expect('-');
    const std::chrono::day day(static_cast<unsigned>(reader.number(2, 31)));
    reader.expect('T');
    const std::chrono::hours hours(reader.number(2, 23));
    reader.expect(':');
    const std::chrono::minutes minutes(reader.number(2, 59));
    reader.expect(':');
    const std::chrono::seconds seconds(reader.number(2, 59));
    const Duration fraction = reader.take('.') ? reader.fraction() : Duration{};
    const std::chrono::minutes east = offset(reader);
    const std::chrono::year_month_day date(year, month, day);
    if (reader.failed() || !reader.at_end() || !date.ok()) return std::nullopt;
    return Time{std::chrono::sys_days(date)} + hours + minutes + seconds + fraction - east;
}

}  // namespace satchel
