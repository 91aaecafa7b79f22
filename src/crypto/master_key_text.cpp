#include "crypto/master_key_text.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>

namespace satchel::crypto {
namespace {

constexpr std::string_view line_word = "satchel-master-key";

// "satchel-master-key VERSION BASE64 CHECK", single blanks between.
std::optional<MasterKey> parse_line(std::string_view line) {
    std::array<std::string_view, 4> words;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::size_t end = line.find(' ');
        if ((end == std::string_view::npos) != (i + 1 == words.size())) return std::nullopt;
        words[i] = line.substr(0, end);
        line.remove_prefix(std::min(line.size(), words[i].size() + 1));
    }
    if (words[0] != line_word) return std::nullopt;
    const auto version = parse_u64(words[1]);
    if (!version || *version == 0 || *version > std::numeric_limits<std::uint32_t>::max()) {
        return std::nullopt;
    }
    auto bytes = from_base64(words[2]);
    MasterKey out{.version = static_cast<std::uint32_t>(*version), .key = {}};
    if (!bytes || bytes->size() != out.key.bytes.size()) return std::nullopt;
    std::ranges::copy(*bytes, out.key.bytes.begin());
    OPENSSL_cleanse(bytes->data(), bytes->size());
    if (words[3] != to_hex(check_of(out.key))) return std::nullopt;
    return out;
}

bool is_key_line(std::string_view line) {
    return !line.empty() && !line.starts_with('#');
}

// Calls `visit` with each line, its newline included if it has one.
template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end == text.npos ? end : end + 1);
        visit(line);
        text.remove_prefix(line.size());
    }
}

std::string_view without_newline(std::string_view line) {
    if (line.ends_with('\n')) line.remove_suffix(1);
    return line;
}

std::unexpected<Error> refuse(std::string why) {
    Error error;
    error.code = Errc::corrupt;
    error.detail = why;
    error.message = std::move(why);
    return std::unexpected(std::move(error));
}

}  // namespace

KeyCheck check_of(const Key& key) {
    const Key whole = derive(key, "satchel key check v1", {});
    KeyCheck check;
    std::ranges::copy(std::span(whole.bytes).first(check.size()), check.begin());
    return check;
}

SecretText::SecretText() {
    text.reserve(2 * limits::master_key_text_bytes_max);
}

SecretText::~SecretText() {
    text.resize(text.capacity());
    OPENSSL_cleanse(text.data(), text.size());
}

Result<std::vector<MasterKey>> parse_master_keys(std::string_view text) {
    if (text.size() > limits::master_key_text_bytes_max) return refuse("is too long");
    std::vector<MasterKey> found;
    found.reserve(limits::master_key_versions_max);
    std::string wrong;
    for_each_line(text, [&found, &wrong](std::string_view whole_line) {
        const std::string_view line = without_newline(whole_line);
        if (!wrong.empty() || !is_key_line(line)) return;
        auto parsed = parse_line(line);
        if (!parsed) {
            wrong = "is damaged or no master key";
        } else if (found.size() == limits::master_key_versions_max) {
            wrong =
                "holds more than " + std::to_string(limits::master_key_versions_max) + " versions";
        } else if (!found.empty() && parsed->version <= found.back().version) {
            wrong = "has version " + std::to_string(parsed->version) + " behind version " +
                    std::to_string(found.back().version) + ", but they must ascend";
        } else {
            found.push_back(*std::move(parsed));
        }
    });
    if (!wrong.empty()) return refuse(std::move(wrong));
    if (found.empty()) return refuse("holds no key");
    return found;
}

void append_key_line(SecretText& to, const MasterKey& key) {
    if (!to.text.empty() && !to.text.ends_with('\n')) to.text += '\n';
    to.text.append(line_word).append(" ").append(std::to_string(key.version)).append(" ");
    SecretText encoded;
    encoded.text = to_base64(key.key.bytes);
    to.text.append(encoded.text).append(" ").append(to_hex(check_of(key.key))).append("\n");
}

void append_without(SecretText& to, std::string_view text, std::uint32_t version) {
    for_each_line(text, [&to, version](std::string_view line) {
        if (is_key_line(without_newline(line))) {
            const auto parsed = parse_line(without_newline(line));
            if (parsed && parsed->version == version) return;
        }
        to.text += line;
    });
}

}  // namespace satchel::crypto
