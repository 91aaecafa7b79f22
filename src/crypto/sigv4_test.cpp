#include "crypto/sigv4.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace satchel::crypto::sigv4 {

// How gtest prints a verdict.
void PrintTo(Presigner::Verdict verdict, std::ostream* out) {
    static constexpr std::string_view names[] = {"ok", "malformed", "signature_mismatch",
                                                 "not_yet_valid", "expired"};
    *out << names[static_cast<std::size_t>(verdict)];
}

namespace {

using Verdict = Presigner::Verdict;
using namespace std::chrono_literals;

const Time signed_at = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 3h + 4min + 5s;

Credentials credentials(std::string region = "us-east-1") {
    return {.access_key_id = "AKIAIOSFODNN7EXAMPLE",
            .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            .region = std::move(region)};
}

// A request that owns its text, so that tests can change it.
struct Request {
    std::string method;
    std::string path;
    std::string query;
    std::vector<std::pair<std::string, std::string>> headers;

    Verdict verify(const Presigner& presigner,
                   Time now = signed_at,
                   std::vector<std::string_view> must_sign = {},
                   std::vector<std::string_view> may_be_unsigned = {}) const {
        std::vector<NamedValue> views(headers.begin(), headers.end());
        return presigner.verify({.method = method, .path = path, .query = query, .headers = views},
                                must_sign, may_be_unsigned, now);
    }

    // Replaces the one occurrence of `from` in the query.
    Request with_query(std::string_view from, std::string_view to) const {
        Request out = *this;
        const std::size_t at = out.query.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        if (at != std::string::npos) out.query.replace(at, from.size(), to);
        return out;
    }

    Request with_header(std::string name, std::string value) const {
        Request out = *this;
        out.headers.emplace_back(std::move(name), std::move(value));
        return out;
    }
};

struct Sample {
    std::string title;
    std::string region;
    Request request;
};

// tests/data/sigv4_presigned.txt, whose head says what a block is.
std::vector<Sample> samples() {
    std::ifstream in(SATCHEL_SOURCE_DIR "/tests/data/sigv4_presigned.txt");
    std::vector<Sample> out;
    std::string line;
    std::string title;
    while (std::getline(in, line)) {
        if (line.empty()) continue;
        if (line.starts_with('#')) {
            title = line.substr(2);
            continue;
        }
        Sample& sample = out.emplace_back();
        sample.title = title;
        sample.region = line;
        std::string url;
        in >> sample.request.method >> url >> std::ws;
        const std::size_t host = url.find("://") + 3;
        const std::size_t path = url.find('/', host);
        const std::size_t query = url.find('?', path);
        sample.request.path = url.substr(path, query - path);
        sample.request.query = url.substr(query + 1);
        sample.request.headers.emplace_back("Host", url.substr(host, path - host));
        while (in.peek() != '#' && std::getline(in, line) && !line.empty()) {
            const std::size_t colon = line.find(':');
            sample.request.headers.emplace_back(line.substr(0, colon),
                                                line.substr(colon + 1, line.size() - colon - 2));
        }
    }
    return out;
}

// An upload as this server signs it.
struct SigV4Test : testing::Test {
    const Presigner presigner{credentials()};
    const std::vector<NamedValue> signed_headers{{"content-length", "1024"},
                                                 {"content-type", "image/jpeg"}};
    const std::vector<std::string_view> must_sign{"content-length", "content-type"};

    Request upload() const {
        return {.method = "PUT",
                .path = "/attachments/550e8400-e29b-41d4-a716-446655440000",
                .query = presigner.sign("PUT", "127.0.0.1:8780",
                                        "/attachments/550e8400-e29b-41d4-a716-446655440000",
                                        signed_headers, signed_at, 15min),
                .headers = {{"host", "127.0.0.1:8780"},
                            {"accept", "*/*"},
                            {"Content-Type", "image/jpeg"},
                            {"Content-Length", "1024"}}};
    }
};

TEST_F(SigV4Test, signs_the_example_of_the_aws_documentation) {
    const Time at = std::chrono::sys_days(std::chrono::year(2013) / 5 / 24);
    const std::string query = presigner.sign("GET", "examplebucket.s3.amazonaws.com", "/test.txt",
                                             {}, at, std::chrono::seconds(86400));
    EXPECT_EQ(query,
              "X-Amz-Algorithm=AWS4-HMAC-SHA256"
              "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
              "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
              "&X-Amz-Signature="
              "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    const Request request{.method = "GET",
                          .path = "/test.txt",
                          .query = query,
                          .headers = {{"Host", "examplebucket.s3.amazonaws.com"}}};
    EXPECT_EQ(request.verify(presigner, at), Verdict::ok);
}

TEST(SigV4Samples, urls_made_by_the_aws_sdk_are_accepted) {
    const auto all = samples();
    ASSERT_GE(all.size(), 10U);
    for (const Sample& sample : all) {
        const Presigner presigner(credentials(sample.region));
        EXPECT_EQ(sample.request.verify(presigner), Verdict::ok) << sample.title;
    }
}

// Every text of a request that is signed: method, path, query and the signed headers.
std::vector<std::string*> signed_texts(Request& request) {
    std::vector<std::string*> out{&request.method, &request.path, &request.query};
    for (auto& header : request.headers) out.push_back(&header.second);
    return out;
}

TEST(SigV4Samples, every_flipped_bit_is_refused) {
    for (const Sample& sample : samples()) {
        const Presigner presigner(credentials(sample.region));
        Request request = sample.request;
        for (std::string* const text : signed_texts(request)) {
            for (std::size_t bit = 0; bit < text->size() * 8; ++bit) {
                char& target = (*text)[bit / 8];
                const char before = target;
                target = static_cast<char>(target ^ (1 << (bit % 8)));
                const Verdict verdict = request.verify(presigner);
                EXPECT_TRUE(verdict == Verdict::malformed || verdict == Verdict::signature_mismatch)
                    << sample.title << ", bit " << bit << " of " << *text;
                target = before;
            }
        }
        EXPECT_EQ(request.verify(presigner), Verdict::ok);
    }
}

TEST(SigV4Samples, another_secret_id_or_region_is_a_mismatch) {
    Credentials secret = credentials();
    secret.secret += 'x';
    Credentials id = credentials();
    id.access_key_id += 'X';
    const Request request = samples().front().request;
    EXPECT_EQ(request.verify(Presigner(secret)), Verdict::signature_mismatch);
    EXPECT_EQ(request.verify(Presigner(id)), Verdict::signature_mismatch);
    EXPECT_EQ(request.verify(Presigner(credentials("us-east-2"))), Verdict::signature_mismatch);
}

TEST_F(SigV4Test, what_was_signed_verifies) {
    EXPECT_EQ(upload().verify(presigner, signed_at, must_sign), Verdict::ok);
    EXPECT_EQ(upload().verify(Presigner(credentials()), signed_at, must_sign), Verdict::ok);
}

TEST_F(SigV4Test, random_requests_verify_and_cut_ones_do_not) {
    std::mt19937 random(20130524);
    const auto text = [&](std::string_view alphabet, std::size_t size_max) {
        std::string out;
        for (std::size_t n = random() % (size_max + 1); n > 0; --n) {
            out += alphabet[random() % alphabet.size()];
        }
        return out;
    };
    for (int round = 0; round < 300; ++round) {
        const std::string type = text("abc /;= \t\"\xC3\xBC", 40);
        const std::string note = text("xyz, \t~", 40);
        const std::vector<NamedValue> headers{{"content-type", type}, {"x-amz-meta-n", note}};
        const Time at = signed_at + std::chrono::seconds(random() % 100'000'000);
        const std::chrono::seconds life(1 + random() % 604'800);
        Request request{.method = round % 2 == 0 ? "PUT" : "GET",
                        .path = "/" + text("ab/.%20~+=&@", 60),
                        .query = {},
                        .headers = {{"X-Amz-Meta-N", note},
                                    {"CONTENT-TYPE", type},
                                    {"Host", "h" + text("abc.:1", 20)}}};
        request.query = presigner.sign(request.method, request.headers.back().second, request.path,
                                       headers, at, life);
        EXPECT_EQ(request.verify(presigner, at, must_sign), Verdict::signature_mismatch);
        EXPECT_EQ(request.verify(presigner, at), Verdict::ok) << request.query;
        request.query.resize(random() % request.query.size());
        EXPECT_NE(request.verify(presigner, at), Verdict::ok) << request.query;
    }
}

TEST_F(SigV4Test, holds_from_fifteen_minutes_before_its_date_until_its_life_is_over) {
    const Request request = upload();
    EXPECT_EQ(request.verify(presigner, signed_at - 15min), Verdict::ok);
    EXPECT_EQ(request.verify(presigner, signed_at - 15min - 1us), Verdict::not_yet_valid);
    EXPECT_EQ(request.verify(presigner, signed_at + 15min - 1us), Verdict::ok);
    EXPECT_EQ(request.verify(presigner, signed_at + 15min), Verdict::expired);
}

TEST_F(SigV4Test, only_a_genuine_url_learns_that_it_is_expired) {
    const Request forged = upload().with_query("Expires=900", "Expires=901");
    EXPECT_EQ(forged.verify(presigner, signed_at + 24h), Verdict::signature_mismatch);
    EXPECT_EQ(forged.verify(presigner, signed_at - 24h), Verdict::signature_mismatch);
}

TEST_F(SigV4Test, the_date_is_rounded_down_to_a_second) {
    EXPECT_EQ(presigner.sign("GET", "h", "/", {}, signed_at + 999'999us, 1s),
              presigner.sign("GET", "h", "/", {}, signed_at, 1s));
}

TEST_F(SigV4Test, urls_of_several_days_verify_side_by_side) {
    for (int day = 0; day < 5; ++day) {
        const Time at = signed_at + std::chrono::days(day);
        for (const Time other : {at, at - std::chrono::days(1), signed_at}) {
            const Request request{.method = "GET",
                                  .path = "/",
                                  .query = presigner.sign("GET", "h", "/", {}, other, 900s),
                                  .headers = {{"Host", "h"}}};
            EXPECT_EQ(request.verify(presigner, other), Verdict::ok);
        }
    }
}

TEST_F(SigV4Test, threads_may_share_a_presigner) {
    const auto work = [&] {
        for (int i = 0; i < 100; ++i) {
            const Time at = signed_at + std::chrono::days(i % 5);
            const Request request{.method = "GET",
                                  .path = "/",
                                  .query = presigner.sign("GET", "h", "/", {}, at, 900s),
                                  .headers = {{"Host", "h"}}};
            EXPECT_EQ(request.verify(presigner, at), Verdict::ok);
        }
    };
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
}

TEST_F(SigV4Test, a_missing_doubled_or_empty_parameter_is_malformed) {
    const Request request = upload();
    std::istringstream pairs(request.query);
    for (std::string pair; std::getline(pairs, pair, '&');) {
        const std::string name = pair.substr(0, pair.find('='));
        EXPECT_EQ(request.with_query(pair, "x=y").verify(presigner), Verdict::malformed) << name;
        EXPECT_EQ(request.with_query(pair, pair + "&" + pair).verify(presigner),
                  Verdict::malformed);
        EXPECT_EQ(request.with_query(pair, name + "=&" + pair).verify(presigner),
                  Verdict::malformed);
        EXPECT_EQ(request.with_query(pair, pair + "&" + name + "=").verify(presigner),
                  Verdict::malformed);
        EXPECT_EQ(request.with_query(pair, name + "=").verify(presigner), Verdict::malformed);
        EXPECT_EQ(request.with_query(pair, name).verify(presigner), Verdict::malformed);
    }
}

TEST_F(SigV4Test, an_unreadable_parameter_is_malformed) {
    const Request request = upload();
    for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string_view>>{
             {"AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"},
             {"Expires=900", "Expires=0"},
             {"Expires=900", "Expires=-1"},
             {"Expires=900", "Expires=604801"},
             {"Expires=900", "Expires=99999999999999999999"},
             {"Expires=900", "Expires=900s"},
             {"20260102T030405Z", "20260102T030405"},
             {"20260102T030405Z", "20260132T030405Z"},
             {"20260102T030405Z", "20260102T240000Z"},
             {"20260102T030405Z", "20260102t030405z"},
             {"20260102T030405Z", "2026-1-2T030405Z"},
             {"%2F", "%G0"},
             {"%2F", "%%2F"},
             {"%2F", " "},
             {"%2F", "\xC3\xBC"},
             {"&", "&&"},
             {"&", "&=x&"},
             {"&", "#"},
         }) {
        EXPECT_EQ(request.with_query(from, to).verify(presigner), Verdict::malformed) << to;
    }
    for (const std::string_view end : {"%", "%2", "&", "&x", "&="}) {
        Request longer = request;
        longer.query += end;
        EXPECT_EQ(longer.verify(presigner), Verdict::malformed) << end;
    }
    Request none = request;
    none.query.clear();
    EXPECT_EQ(none.verify(presigner), Verdict::malformed);
}

TEST_F(SigV4Test, a_query_of_very_many_parameters_is_malformed) {
    Request request = upload();
    for (int i = 0; i < 100; ++i) request.query += "&a=b";
    EXPECT_EQ(request.verify(presigner), Verdict::malformed);
}

TEST_F(SigV4Test, anything_added_or_changed_is_a_mismatch) {
    const Request request = upload();
    EXPECT_EQ(request.with_query("&X-Amz-Date", "&x=y&X-Amz-Date").verify(presigner),
              Verdict::signature_mismatch);
    EXPECT_EQ(
        request.with_query("&X-Amz-Date", "&x-amz-acl=public-read&X-Amz-Date").verify(presigner),
        Verdict::signature_mismatch);
    EXPECT_EQ(request.with_query("us-east-1", "us-west-1").verify(presigner),
              Verdict::signature_mismatch);
    EXPECT_EQ(request.with_query("%2F20260102%2F", "%2F20260103%2F").verify(presigner),
              Verdict::signature_mismatch);
    EXPECT_EQ(request.with_query("s3%2Faws4", "ec2%2Faws4").verify(presigner),
              Verdict::signature_mismatch);
    for (const std::string_view method : {"GET", "put", "POST", "DELETE"}) {
        Request other = request;
        other.method = method;
        EXPECT_EQ(other.verify(presigner), Verdict::signature_mismatch) << method;
    }
    for (const std::string_view end : {"/", "0", "%00", "?", "/../x"}) {
        Request other = request;
        other.path += end;
        EXPECT_EQ(other.verify(presigner), Verdict::signature_mismatch) << end;
    }
}

TEST_F(SigV4Test, nothing_may_move_the_borders_between_path_and_query) {
    Request request = upload();
    request.path += "\n" + request.query;
    EXPECT_EQ(request.verify(presigner), Verdict::malformed);
    request = upload();
    request.method = "PUT\n/attachments";
    EXPECT_EQ(request.verify(presigner), Verdict::malformed);
    request = upload().with_header("Content-Type", "x\nhost:other");
    EXPECT_EQ(request.verify(presigner), Verdict::signature_mismatch);
}

TEST_F(SigV4Test, the_order_and_the_escaping_of_parameters_are_the_clients_choice) {
    const Request request = upload();
    Request reversed = request;
    std::vector<std::string> pairs;
    std::istringstream in(request.query);
    for (std::string pair; std::getline(in, pair, '&');) pairs.push_back(pair);
    reversed.query = pairs.back();
    for (auto pair = std::next(pairs.rbegin()); pair != pairs.rend(); ++pair) {
        reversed.query += "&" + *pair;
    }
    EXPECT_EQ(reversed.verify(presigner, signed_at, must_sign), Verdict::ok);

    // Some HTTP clients turn "%2F" and "%3B" into the plain character before they send.
    Request plain = request;
    for (const auto& [from, to] : {std::pair{"%2F", "/"}, std::pair{"%3B", ";"}}) {
        for (std::size_t at = 0; (at = plain.query.find(from)) != std::string::npos;) {
            plain.query.replace(at, 3, to);
        }
    }
    EXPECT_EQ(plain.verify(presigner, signed_at, must_sign), Verdict::ok);
}

TEST_F(SigV4Test, other_spellings_that_no_signer_writes_are_a_mismatch) {
    const Request request = upload();
    EXPECT_EQ(request.with_query("%2F", "%2f").verify(presigner), Verdict::signature_mismatch);
    EXPECT_EQ(request.with_query("AKIA", "%41KIA").verify(presigner), Verdict::signature_mismatch);
    EXPECT_EQ(request.with_query("%2F", "+").verify(presigner), Verdict::signature_mismatch);
    std::string upper = request.query;
    const std::size_t signature = upper.find("Signature=") + 10;
    std::transform(upper.begin() + static_cast<std::ptrdiff_t>(signature), upper.end(),
                   upper.begin() + static_cast<std::ptrdiff_t>(signature),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    Request other = request;
    other.query = upper;
    EXPECT_EQ(other.verify(presigner), Verdict::signature_mismatch);
}

TEST_F(SigV4Test, signed_headers_count_by_value_whatever_their_spelling) {
    Request request = upload();
    request.headers = {{"HOST", " 127.0.0.1:8780\t"},
                       {"content-TYPE", "  image/jpeg "},
                       {"content-length", "1024"},
                       {"X-Other", "anything"}};
    EXPECT_EQ(request.verify(presigner, signed_at, must_sign), Verdict::ok);
    for (std::size_t i = 0; i < 3; ++i) {
        Request without = request;
        without.headers.erase(without.headers.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_EQ(without.verify(presigner), Verdict::signature_mismatch);
        Request doubled = request;
        doubled.headers.push_back(request.headers[i]);
        EXPECT_EQ(doubled.verify(presigner), Verdict::signature_mismatch);
    }
}

TEST_F(SigV4Test, doubled_headers_are_joined_and_blanks_collapsed) {
    const std::vector<NamedValue> headers{{"x-amz-meta-a", "one two,three"}};
    Request request{
        .method = "PUT",
        .path = "/",
        .query = presigner.sign("PUT", "h", "/", headers, signed_at, 60s),
        .headers = {{"Host", "h"}, {"x-amz-meta-a", " one \t  two "}, {"X-Amz-Meta-A", "three"}}};
    EXPECT_EQ(request.verify(presigner), Verdict::ok);
    std::swap(request.headers[1], request.headers[2]);
    EXPECT_EQ(request.verify(presigner), Verdict::signature_mismatch);
}

TEST_F(SigV4Test, headers_that_must_be_signed_are) {
    Request request{.method = "PUT",
                    .path = "/",
                    .query = presigner.sign("PUT", "h", "/", {}, signed_at, 60s),
                    .headers = {{"Host", "h"}, {"Content-Type", "image/jpeg"}}};
    EXPECT_EQ(request.verify(presigner), Verdict::ok);
    EXPECT_EQ(request.verify(presigner, signed_at, {"content-type"}), Verdict::signature_mismatch);
}

TEST_F(SigV4Test, an_unsigned_amz_header_is_a_mismatch_unless_allowed) {
    const Request request = upload().with_header("X-AMZ-Checksum-CRC32", "AAAAAA==");
    EXPECT_EQ(request.verify(presigner, signed_at, must_sign), Verdict::signature_mismatch);
    EXPECT_EQ(request.verify(presigner, signed_at, must_sign, {"x-amz-checksum-crc32"}),
              Verdict::ok);
    EXPECT_EQ(upload().with_header("x-amz-acl", "public-read").verify(presigner),
              Verdict::signature_mismatch);
    EXPECT_EQ(upload().with_header("x-amzn-trace-id", "1").verify(presigner), Verdict::ok);
}

// verify() does not see the body, so it cannot vouch for a promise about it.
TEST_F(SigV4Test, a_signed_payload_hash_is_not_accepted) {
    const std::string hash(64, 'e');
    const std::vector<NamedValue> headers{{"x-amz-content-sha256", hash}};
    Request request{.method = "PUT",
                    .path = "/",
                    .query = presigner.sign("PUT", "h", "/", headers, signed_at, 60s),
                    .headers = {{"Host", "h"}}};
    request.headers.emplace_back("x-amz-content-sha256", hash);
    EXPECT_EQ(request.verify(presigner), Verdict::signature_mismatch);
}

}  // namespace
}  // namespace satchel::crypto::sigv4
