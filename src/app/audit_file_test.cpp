#include "app/audit_file.hpp"

#include "base/log.hpp"
#include "crypto/key.hpp"
#include "tests/support/temp_folder.hpp"

#include <boost/json.hpp>

#include <gtest/gtest.h>

#include <fstream>

namespace satchel::app {
namespace {

namespace json = boost::json;

struct AuditFileTest : testing::Test {
    test::TempFolder folder;
    std::filesystem::path file = folder / "audit.jsonl";
    crypto::AuditSigner signer{crypto::Key::random()};
    const Time now{std::chrono::seconds(1'800'000'000)};
    AuditStart start;
    std::vector<AuditLink> links;

    AuditFileTest() {
        start.key = signer.key();
        start.origin = AuditOrigin{now, 0};
        start.position.hash = crypto::origin_hash(signer.key(), *start.origin);
        AuditHash previous = start.position.hash;
        for (std::uint64_t seq = 1; seq <= 4; ++seq) {
            const AuditEntry entry{now, PartnerId::random(), AttachmentId::random(), "delete",
                                   "key:\"\\u\n1"};
            links.push_back({seq, entry, crypto::entry_hash(previous, seq, entry)});
            previous = links.back().hash;
        }
    }
    AuditHead head() const { return signer.head({links.back().seq, links.back().hash}, now); }
    // From behind entry `after` on.
    std::string exported(std::uint64_t after = 0) const {
        AuditStart first = start;
        if (after > 0) {
            first.position = {after, links[after - 1].hash};
            first.origin.reset();
        }
        std::string text = json::serialize(to_json(first)) + "\n";
        for (const AuditLink& link : links) {
            if (link.seq > after) text += json::serialize(to_json(link)) + "\n";
        }
        return text + json::serialize(to_json(head())) + "\n";
    }
    void write(const std::string& text) { std::ofstream(file, std::ios::binary) << text; }
    // What verifying `text` says; empty: intact.
    std::string problem_with(const std::string& text, AuditAnchors anchors = {}) {
        write(text);
        const auto verified = verify_export(file, std::move(anchors));
        if (!verified) return verified.error().message;
        return verified->verdict.problem.value_or("");
    }
};

TEST_F(AuditFileTest, an_export_is_intact_from_any_entry_on) {
    for (std::uint64_t after = 0; after <= 4; ++after) {
        EXPECT_EQ(problem_with(exported(after)), "") << after;
        EXPECT_EQ(verify_export(file, {})->entries, 4 - after);
    }
}

// The values that count, as one text.
std::string meaning_of(const std::string& text) {
    std::istringstream in(text);
    std::string meaning;
    for (std::string line; std::getline(in, line);) {
        boost::system::error_code error;
        const json::value value = json::parse(line, error);
        if (error || !value.is_object()) return "unreadable";
        const json::object& object = value.get_object();
        if (const auto first = audit_start_from(object)) {
            meaning += json::serialize(to_json(*first));
        } else if (const auto link = audit_link_from(object)) {
            meaning += json::serialize(to_json(*link));
        } else if (const auto last = audit_head_from(object)) {
            meaning += json::serialize(to_json(*last));
        }
    }
    return meaning;
}

TEST_F(AuditFileTest, no_byte_of_an_export_can_be_changed_unnoticed) {
    for (const std::uint64_t after : {0U, 2U}) {
        const std::string whole = exported(after);
        std::size_t noticed = 0;
        for (std::size_t i = 0; i < whole.size(); ++i) {
            for (const char mask : {'\x01', '\x20', '\x7f'}) {
                std::string changed = whole;
                changed[i] = static_cast<char>(changed[i] ^ mask);
                if (!problem_with(changed).empty()) {
                    ++noticed;
                } else {
                    EXPECT_EQ(meaning_of(changed), meaning_of(whole)) << i << " " << changed;
                }
            }
        }
        EXPECT_GT(noticed, whole.size() * 2);
    }
}

TEST_F(AuditFileTest, lines_left_out_cut_swapped_or_added_are_noticed) {
    std::vector<std::string> lines;
    std::istringstream in(exported());
    for (std::string line; std::getline(in, line);) lines.push_back(line + "\n");
    const auto joined = [](const std::vector<std::string>& all) {
        std::string text;
        for (const auto& line : all) text += line;
        return text;
    };
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto without = lines;
        without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_NE(problem_with(joined(without)), "") << i;
        auto cut = lines;
        cut.resize(i);
        EXPECT_NE(problem_with(joined(cut)), "") << i;
        auto twice = lines;
        twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
        EXPECT_NE(problem_with(joined(twice)), "") << i;
        if (i == 0) continue;
        auto swapped = lines;
        std::swap(swapped[i], swapped[i - 1]);
        EXPECT_NE(problem_with(joined(swapped)), "") << i;
    }
    // The last entry left out, and the head of then put back.
    const AuditHead earlier = signer.head({3, links[2].hash}, now);
    auto shorter = lines;
    shorter.erase(shorter.begin() + 4);
    shorter.back() = json::serialize(to_json(earlier)) + "\n";
    EXPECT_EQ(problem_with(joined(shorter)), "");
    EXPECT_NE(problem_with(joined(shorter), {{4, links[3].hash}}), "");
}

TEST_F(AuditFileTest, a_receipt_verifies_and_no_byte_of_it_can_be_changed_unnoticed) {
    const AuditReceipt receipt = signer.receipt(links[1], links[0].hash, {4, links[3].hash}, now);
    const std::string whole = json::serialize(to_json(receipt)) + "\n";
    write(whole);
    const auto verified = verify_receipt(file);
    ASSERT_TRUE(verified);
    EXPECT_EQ(verified->link.entry.attachment, links[1].entry.attachment);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (const char mask : {'\x01', '\x20', '\x7f'}) {
            std::string changed = whole;
            changed[i] = static_cast<char>(changed[i] ^ mask);
            write(changed);
            const auto again = verify_receipt(file);
            if (again) EXPECT_EQ(to_json(*again), to_json(receipt)) << changed;
        }
    }
}

TEST_F(AuditFileTest, kept_heads_and_receipts_are_anchors_if_one_key_signed_them) {
    const AuditHead first = signer.head({2, links[1].hash}, now);
    const AuditReceipt receipt = signer.receipt(links[2], links[1].hash, {4, links[3].hash}, now);
    const std::string good = json::serialize(to_json(first)) + "\nsome other line\n" +
                             json::serialize(to_json(receipt)) + "\n";
    write(good);
    const auto kept = read_positions(file);
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->key, signer.key());
    const AuditAnchors expected{{2, links[1].hash}, {3, links[2].hash}, {4, links[3].hash}};
    EXPECT_EQ(kept->anchors, expected);

    write(exported());
    EXPECT_EQ(read_positions(file)->anchors.size(), 1U);

    const crypto::AuditSigner other{crypto::Key::random()};
    write(good + json::serialize(to_json(other.head({2, links[1].hash}, now))) + "\n");
    EXPECT_FALSE(read_positions(file));
    write(good + json::serialize(to_json(signer.head({2, links[2].hash}, now))) + "\n");
    EXPECT_FALSE(read_positions(file));
    AuditHead forged = first;
    ++forged.position.seq;
    write(json::serialize(to_json(forged)) + "\n");
    EXPECT_FALSE(read_positions(file));
    write("nothing\n");
    EXPECT_FALSE(read_positions(file));
    EXPECT_FALSE(read_positions(folder / "missing"));
}

}  // namespace
}  // namespace satchel::app
