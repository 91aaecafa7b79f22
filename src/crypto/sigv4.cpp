#include "crypto/sigv4.hpp"

#include "crypto/digest.hpp"
#include "crypto/key.hpp"
#include "crypto/sigv4_canonical.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>

namespace satchel::crypto::sigv4 {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view scope_end = "/s3/aws4_request";
constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";
constexpr std::string_view content_hash_header = "x-amz-content-sha256";
constexpr std::chrono::seconds life_max = std::chrono::days(7);
constexpr auto clock_skew_max = std::chrono::minutes(15);
constexpr std::size_t day_length = 8;  // 20130524

// What a query says about its own signature; all canonical.
struct Authorization {
    std::string_view algorithm;
    std::string_view credential;
    std::string_view date;
    std::string_view expires;
    std::string_view signed_headers;
    std::string_view signature;
};

constexpr std::array<std::pair<std::string_view, std::string_view Authorization::*>, 6>
    authorization_names{{{"X-Amz-Algorithm", &Authorization::algorithm},
                         {"X-Amz-Credential", &Authorization::credential},
                         {"X-Amz-Date", &Authorization::date},
                         {"X-Amz-Expires", &Authorization::expires},
                         {"X-Amz-SignedHeaders", &Authorization::signed_headers},
                         {"X-Amz-Signature", &Authorization::signature}}};

// Nullopt if one is missing, empty or doubled. Points into `parameters`.
std::optional<Authorization> find_authorization(std::span<const Parameter> parameters) {
    Authorization out;
    for (const auto& [name, member] : authorization_names) {
        for (const Parameter& parameter : parameters) {
            if (parameter.name != name) continue;
            if (!(out.*member).empty()) return std::nullopt;
            if (parameter.value.empty()) return std::nullopt;
            out.*member = parameter.value;
        }
        if ((out.*member).empty()) return std::nullopt;
    }
    return out;
}

// Of a canonical X-Amz-SignedHeaders. Nullopt unless they are plain lower-case names in
// ascending order, which every signer writes.
std::optional<std::vector<std::string_view>> split_names(std::string_view canonical) {
    static constexpr std::string_view semicolon = "%3B";
    std::vector<std::string_view> names;
    for (;;) {
        const std::size_t end = canonical.find(semicolon);
        const std::string_view name = canonical.substr(0, end);
        const bool plain = std::ranges::all_of(name, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        });
        if (name.empty() || !plain || (!names.empty() && names.back() >= name)) return std::nullopt;
        names.push_back(name);
        if (end == std::string_view::npos) return names;
        canonical.remove_prefix(end + semicolon.size());
    }
}

bool contains(std::span<const std::string_view> names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

bool is_amz_header(std::string_view name) {
    static constexpr std::string_view prefix = "x-amz-";
    return name.size() > prefix.size() &&
           equal_ignoring_case(name.substr(0, prefix.size()), prefix);
}

// Nothing that could move the borders between the lines of a canonical request.
bool is_one_word(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

// Whether everything that has to be signed is, and nothing that must not differ is left out.
bool signs_enough(std::span<const std::string_view> names,
                  std::span<const std::string_view> must_sign,
                  std::span<const std::string_view> may_be_unsigned,
                  std::span<const NamedValue> headers) {
    if (!contains(names, "host")) return false;
    for (const std::string_view name : must_sign) {
        if (!contains(names, name)) return false;
    }
    return std::ranges::all_of(headers, [&](const NamedValue& header) {
        const auto is_this = [&](std::string_view name) {
            return equal_ignoring_case(header.first, name);
        };
        return !is_amz_header(header.first) || std::ranges::any_of(names, is_this) ||
               std::ranges::any_of(may_be_unsigned, is_this);
    });
}

// A URL may also promise the hash of the body. Nobody here checks that promise, so such a URL is
// not accepted.
bool leaves_payload_unsigned(std::span<const Parameter> parameters,
                             std::span<const NamedValue> headers) {
    return std::ranges::all_of(parameters,
                               [](const Parameter& p) {
                                   return !equal_ignoring_case(p.name, content_hash_header) ||
                                          p.value == unsigned_payload;
                               }) &&
           std::ranges::all_of(headers, [](const NamedValue& h) {
               return !equal_ignoring_case(h.first, content_hash_header) ||
                      h.second == unsigned_payload;
           });
}

void append_query(std::string& out, std::span<const Parameter> parameters) {
    bool first = true;
    for (const Parameter& parameter : parameters) {
        if (parameter.name == "X-Amz-Signature") continue;
        if (!std::exchange(first, false)) out += '&';
        out += parameter.name;
        out += '=';
        out += parameter.value;
    }
}

void append_joined(std::string& out,
                   std::span<const std::string_view> names,
                   std::string_view separator) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) out += separator;
        out += names[i];
    }
}

// Method, path and query: the first three lines.
std::string canonical_start(std::string_view method, std::string_view path) {
    std::string out;
    out.reserve(1024);
    out += method;
    out += '\n';
    out += path;
    out += '\n';
    return out;
}

// Signed header names and payload hash: the last two lines.
void append_canonical_end(std::string& out, std::span<const std::string_view> names) {
    out += '\n';
    append_joined(out, names, ";");
    out += '\n';
    out += unsigned_payload;
}

struct DayKey {
    std::string day;
    Key key;
};

}  // namespace

struct Presigner::State {
    explicit State(Credentials c) : credentials(std::move(c)) {}

    const Credentials credentials;
    std::mutex mutex;
    // Newest first. Only sign() fills them: the day of an incoming URL is anybody's choice.
    std::array<DayKey, 2> cache;

    std::optional<Key> cached(std::string_view day) {
        const std::lock_guard lock(mutex);
        for (const DayKey& entry : cache) {
            if (entry.day == day) return entry.key;
        }
        return std::nullopt;
    }

    void keep(std::string_view day, const Key& key) {
        const std::lock_guard lock(mutex);
        if (cache[0].day == day || cache[1].day == day) return;
        std::swap(cache[0], cache[1]);
        cache[0].day = day;
        cache[0].key = key;
    }

    Key signing_key(std::string_view day) const {
        const std::string first = "AWS4" + credentials.secret;
        Key key;
        key.bytes = hmac_sha256(as_bytes(first), as_bytes(day));
        for (const std::string_view part :
             {std::string_view(credentials.region), std::string_view("s3"),
              std::string_view("aws4_request")}) {
            key.bytes = hmac_sha256(key.bytes, as_bytes(part));
        }
        return key;
    }

    // access key id / day / region / s3 / aws4_request, canonical.
    std::string credential(std::string_view day) const {
        std::string out;
        append_encoded(out, credentials.access_key_id);
        out += "%2F";
        out += day;
        out += "%2F";
        append_encoded(out, credentials.region);
        append_encoded(out, scope_end);
        return out;
    }

    std::string signature(const Key& key,
                          std::string_view date,
                          std::string_view canonical_request) const {
        std::string text;
        text.reserve(256);
        text += algorithm;
        text += '\n';
        text += date;
        text += '\n';
        text += date.substr(0, day_length);
        text += '/';
        text += credentials.region;
        text += scope_end;
        text += '\n';
        text += to_hex(sha256(as_bytes(canonical_request)));
        return to_hex(hmac_sha256(key.bytes, as_bytes(text)));
    }
};

Presigner::Presigner(Credentials credentials)
    : state_(std::make_unique<State>(std::move(credentials))) {}

Presigner::~Presigner() = default;

std::string Presigner::sign(std::string_view method,
                            std::string_view host,
                            std::string_view path,
                            std::span<const NamedValue> headers,
                            Time at,
                            std::chrono::seconds life) const {
    ASSERT(life.count() >= 1 && life <= life_max);
    const std::string date = to_amz_date(at);
    const std::string_view day = std::string_view(date).substr(0, day_length);
    std::optional<Key> key = state_->cached(day);
    if (!key) {
        key = state_->signing_key(day);
        state_->keep(day, *key);
    }

    std::vector<NamedValue> all(headers.begin(), headers.end());
    const auto place = std::ranges::lower_bound(all, "host", {}, &NamedValue::first);
    all.insert(place, {"host", host});
    std::vector<std::string_view> names;
    for (const auto& header : all) {
        ASSERT(names.empty() || names.back() < header.first);
        names.push_back(header.first);
    }

    std::string query;
    query.reserve(512);
    query += "X-Amz-Algorithm=";
    query += algorithm;
    query += "&X-Amz-Credential=";
    query += state_->credential(day);
    query += "&X-Amz-Date=";
    query += date;
    query += "&X-Amz-Expires=";
    query += std::to_string(life.count());
    query += "&X-Amz-SignedHeaders=";
    append_joined(query, names, "%3B");

    std::string canonical = canonical_start(method, path);
    canonical += query;
    canonical += '\n';
    ASSERT(append_headers(canonical, names, all));
    append_canonical_end(canonical, names);

    query += "&X-Amz-Signature=";
    query += state_->signature(*key, date, canonical);
    return query;
}

Presigner::Verdict Presigner::verify(const Incoming& request,
                                     std::span<const std::string_view> must_sign,
                                     std::span<const std::string_view> may_be_unsigned,
                                     Time now) const {
    std::vector<Parameter> parameters;
    parameters.reserve(16);
    const Readable readable = parse_query(request.query, parameters);
    if (readable == Readable::no) return Verdict::malformed;
    const auto authorization = find_authorization(parameters);
    if (!authorization || authorization->algorithm != algorithm) return Verdict::malformed;
    const auto date = parse_amz_date(authorization->date);
    const auto life = parse_u64(authorization->expires);
    if (!date || !life || *life < 1 || *life > static_cast<std::uint64_t>(life_max.count())) {
        return Verdict::malformed;
    }
    if (!is_one_word(request.method) || !is_one_word(request.path)) return Verdict::malformed;

    const std::string_view day = authorization->date.substr(0, day_length);
    const auto names = split_names(authorization->signed_headers);
    if (readable == Readable::ambiguous || !names ||
        authorization->credential != state_->credential(day) ||
        !signs_enough(*names, must_sign, may_be_unsigned, request.headers) ||
        !leaves_payload_unsigned(parameters, request.headers)) {
        return Verdict::signature_mismatch;
    }

    std::string canonical = canonical_start(request.method, request.path);
    append_query(canonical, parameters);
    canonical += '\n';
    if (!append_headers(canonical, *names, request.headers)) return Verdict::signature_mismatch;
    append_canonical_end(canonical, *names);

    std::optional<Key> key = state_->cached(day);
    if (!key) key = state_->signing_key(day);
    const std::string expected = state_->signature(*key, authorization->date, canonical);
    if (!equal_constant_time(as_bytes(expected), as_bytes(authorization->signature))) {
        return Verdict::signature_mismatch;
    }
    if (*date > now + clock_skew_max) return Verdict::not_yet_valid;
    if (now >= *date + std::chrono::seconds(*life)) return Verdict::expired;
    return Verdict::ok;
}

}  // namespace satchel::crypto::sigv4
