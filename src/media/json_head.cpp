#include "media/json_head.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <bitset>
#include <cstddef>

namespace satchel::media {
namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view number_characters = "+-.0123456789Ee";

// Reads JSON without keeping any of it. Each step is true if it may be JSON so far; `at_end` says
// that the text ran out inside.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    // The whole document.
    bool scan() {
        skip_blanks();
        if (!begins_with('{') && !begins_with('[')) return false;
        if (!value()) return false;
        while (depth_ > 0 && !at_end_) {
            if (!after_value()) return false;
        }
        skip_blanks();
        return at_end_ || rest_.empty();
    }
    bool at_end() const { return at_end_; }

private:
    bool begins_with(char c) const { return !rest_.empty() && rest_.front() == c; }

    void skip_blanks() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size()));
    }

    // Blanks, then one more character is needed. False at the end.
    bool has_more() {
        skip_blanks();
        at_end_ = rest_.empty();
        return !at_end_;
    }

    bool take(char c) {
        if (!begins_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    // A value; of an object or array what opens it, and the first value in it.
    bool value() {
        while (has_more()) {
            const char first = rest_.front();
            if (first == '{' || first == '[') {
                if (depth_ == limits::detect_json_depth_max) return false;
                rest_.remove_prefix(1);
                is_object_[depth_++] = first == '{';
                if (!has_more()) return true;
                if (take(first == '{' ? '}' : ']')) {
                    --depth_;
                    return true;
                }
                if (first == '{' && !member_name()) return false;
                continue;
            }
            return first == '"' ? string() : scalar();
        }
        return true;
    }

    // A comma and the next value, or what closes the object or array.
    bool after_value() {
        if (!has_more()) return true;
        const bool in_object = is_object_[depth_ - 1];
        if (take(in_object ? '}' : ']')) {
            --depth_;
            return true;
        }
        if (!take(',')) return false;
        return (!in_object || member_name()) && value();
    }

    bool member_name() {
        if (!has_more()) return true;
        if (!begins_with('"') || !string()) return false;
        if (!has_more()) return true;
        return take(':');
    }

    bool string() {
        for (std::size_t i = 1; i < rest_.size(); ++i) {
            const char c = rest_[i];
            if (static_cast<unsigned char>(c) < ' ') return false;
            if (c == '\\') ++i;
            if (c == '"') {
                rest_.remove_prefix(i + 1);
                return true;
            }
        }
        rest_ = {};
        at_end_ = true;
        return true;
    }

    bool scalar() {
        for (const std::string_view word : {"true", "false", "null"}) {
            if (rest_.starts_with(word)) {
                rest_.remove_prefix(word.size());
                return true;
            }
            if (word.starts_with(rest_)) {
                rest_ = {};
                at_end_ = true;
                return true;
            }
        }
        const bool is_number = begins_with('-') || (rest_.front() >= '0' && rest_.front() <= '9');
        const std::size_t end = rest_.find_first_not_of(number_characters);
        rest_.remove_prefix(std::min(end, rest_.size()));
        return is_number;
    }

    std::string_view rest_;
    std::bitset<limits::detect_json_depth_max> is_object_;
    std::size_t depth_ = 0;
    bool at_end_ = false;
};

}  // namespace

bool is_json_head(std::string_view text, bool is_all) {
    Scanner scanner(text);
    return scanner.scan() && !(is_all && scanner.at_end());
}

}  // namespace satchel::media
