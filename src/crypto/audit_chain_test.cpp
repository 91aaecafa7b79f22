#include "crypto/audit_chain.hpp"

#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace satchel::crypto {
namespace {

template <class IdType>
IdType id_of(unsigned char filler) {
    IdType id;
    id.value.bytes.fill(std::byte{filler});
    return id;
}

AuditEntry sample_entry() {
    return {.at = from_micros(1'800'000'000'123'456),
            .partner = id_of<PartnerId>(0x11),
            .attachment = id_of<AttachmentId>(0x22),
            .cause = "delete",
            .actor = "key:7"};
}

Key key_of(unsigned char filler) {
    Key key;
    key.bytes.fill(std::byte{filler});
    return key;
}

struct Chain {
    AuditSigner signer{key_of(0x33)};
    AuditPosition start{
        0, origin_hash(signer.key(), {.begun_at = from_micros(1'700'000'000'000'000)})};
    std::vector<AuditLink> links;

    explicit Chain(std::size_t size) {
        AuditHash previous = start.hash;
        for (std::size_t i = 0; i < size; ++i) {
            AuditEntry entry = sample_entry();
            entry.at += std::chrono::seconds(i);
            const std::uint64_t seq = i + 1;
            links.push_back({seq, entry, entry_hash(previous, seq, entry)});
            previous = links.back().hash;
        }
    }
    AuditPosition end() const {
        return links.empty() ? start : AuditPosition{links.back().seq, links.back().hash};
    }
};

// What is wrong with `links`, walked from the chain's start to its signed end.
std::string problem_with(const Chain& chain,
                         const std::vector<AuditLink>& links,
                         AuditAnchors anchors = {}) {
    AuditWalk walk(chain.start, std::move(anchors));
    for (const AuditLink& link : links) walk.step(link);
    walk.finish(chain.end());
    return walk.problem().value_or("");
}

// docs/formats/audit.md: these bytes are frozen.
TEST(AuditChain, hashes_and_signatures_are_those_of_the_first_release) {
    const AuditSigner signer(key_of(0x33));
    const AuditHash origin =
        origin_hash(signer.key(), {.begun_at = from_micros(1'700'000'000'000'000), .inherited = 5});
    const AuditHash first = entry_hash(origin, 1, sample_entry());
    const AuditHead head = signer.head({1, first}, from_micros(1'800'000'001'000'000));
    EXPECT_EQ(to_hex(signer.key()),
              "d163c5e7c0f04f8000d8a1597aeac838c55e6a9dfd1087d4c3ea44f0b3d73e93");
    EXPECT_EQ(to_hex(origin), "0d86c3aa6ec6b3d333d1b2539374beac35ab50832fbc3a5125a1d1dc8847d976");
    EXPECT_EQ(to_hex(first), "3dacfba6c610dae6f7ba774522243f8a2fb7f90b63cf7a49c9ff477f2d42d27a");
    EXPECT_EQ(to_hex(head.signature),
              "5a50fa692b816cc2768b9d1726308e5aee9f0571e6f7069546128ff5697bb958bea4cb98b293f3c496a8"
              "af96d0934fa443a4a88992e0b69a1ce089aff00afa08");
}

TEST(AuditChain, a_whole_chain_has_no_problem) {
    for (const std::size_t size : {0U, 1U, 5U}) {
        const Chain chain(size);
        EXPECT_EQ(problem_with(chain, chain.links), "");
    }
}

TEST(AuditChain, a_change_of_any_field_is_found_at_its_entry) {
    const Chain chain(4);
    const std::function<void(AuditLink&)> changes[] = {
        [](AuditLink& link) { link.entry.at += Duration{1}; },
        [](AuditLink& link) { link.entry.partner = PartnerId::random(); },
        [](AuditLink& link) { link.entry.attachment = AttachmentId::random(); },
        [](AuditLink& link) { link.entry.cause += 'd'; },
        [](AuditLink& link) { link.entry.actor.clear(); },
        // The same letters, split elsewhere.
        [](AuditLink& link) {
            link.entry.cause += link.entry.actor.front();
            link.entry.actor.erase(0, 1);
        },
        [](AuditLink& link) { link.hash[31] ^= std::byte{1}; },
    };
    for (const auto& change : changes) {
        auto links = chain.links;
        change(links[1]);
        EXPECT_TRUE(problem_with(chain, links).starts_with("entry 2 was changed"));
    }
}

TEST(AuditChain, an_entry_changed_together_with_its_hash_is_found_at_the_next_or_at_the_end) {
    const Chain chain(3);
    for (const std::size_t at : {1U, 2U}) {
        auto links = chain.links;
        links[at].entry.actor = "nobody";
        links[at].hash = entry_hash(links[at - 1].hash, links[at].seq, links[at].entry);
        EXPECT_EQ(problem_with(chain, links).empty(), false);
    }
}

TEST(AuditChain, gaps_cuts_swaps_and_additions_are_found) {
    const Chain chain(5);
    auto gap = chain.links;
    gap.erase(gap.begin() + 2);
    EXPECT_EQ(problem_with(chain, gap), "entry 3 is missing");

    auto closed_gap = gap;
    for (std::size_t i = 2; i < closed_gap.size(); ++i) --closed_gap[i].seq;
    EXPECT_TRUE(problem_with(chain, closed_gap).starts_with("entry 3 was changed"));

    auto swapped = chain.links;
    std::swap(swapped[1], swapped[2]);
    EXPECT_EQ(problem_with(chain, swapped), "entry 2 is missing");
    std::swap(swapped[1].seq, swapped[2].seq);
    EXPECT_TRUE(problem_with(chain, swapped).starts_with("entry 2 was changed"));

    for (std::size_t left = 0; left < chain.links.size(); ++left) {
        const std::vector<AuditLink> cut(chain.links.begin(),
                                         chain.links.begin() + static_cast<std::ptrdiff_t>(left));
        EXPECT_EQ(problem_with(chain, cut), "the audit ends with entry " + std::to_string(left) +
                                                ", but was signed up to entry 5");
    }

    auto added = chain.links;
    added.push_back({6, sample_entry(), entry_hash(added.back().hash, 6, sample_entry())});
    EXPECT_EQ(problem_with(chain, added),
              "the audit ends with entry 6, which is not the end that was signed");

    auto twice = chain.links;
    twice.insert(twice.begin() + 1, twice.front());
    EXPECT_EQ(problem_with(chain, twice), "entry 1 is out of order");
}

TEST(AuditChain, what_is_known_elsewhere_must_still_be_there) {
    const Chain chain(5);
    AuditAnchors right{{0, chain.start.hash}, {3, chain.links[2].hash}, {5, chain.links[4].hash}};
    EXPECT_EQ(problem_with(chain, chain.links, right), "");
    EXPECT_EQ(problem_with(chain, chain.links, {{3, chain.links[1].hash}}),
              "entry 3 is not the one known elsewhere");
    EXPECT_EQ(problem_with(chain, chain.links, {{9, chain.links[1].hash}}),
              "the audit ends with entry 5, but entry 9 is known elsewhere");
}

TEST(AuditChain, a_walk_from_the_middle_passes_over_what_was_before) {
    const Chain chain(5);
    AuditWalk walk({2, chain.links[1].hash}, {{1, AuditHash{}}});
    for (std::size_t i = 2; i < 5; ++i) walk.step(chain.links[i]);
    walk.finish(chain.end());
    EXPECT_FALSE(walk.problem());
}

TEST(AuditChain, what_was_signed_for_one_purpose_serves_no_other) {
    const Chain chain(2);
    const Time now = from_micros(0);
    const AuditHead head = chain.signer.head(chain.end(), now);
    EXPECT_TRUE(is_signed(head));
    EXPECT_FALSE(is_signed_end(chain.signer.key(), chain.end(), head.signature));

    AuditHead from_end = head;
    from_end.signature = chain.signer.sign_end(chain.end());
    EXPECT_TRUE(is_signed_end(chain.signer.key(), chain.end(), from_end.signature));
    EXPECT_FALSE(is_signed(from_end));
}

TEST(AuditChain, a_receipt_holds_for_its_entry_only) {
    const Chain chain(3);
    const AuditReceipt receipt =
        chain.signer.receipt(chain.links[1], chain.links[0].hash, chain.end(), from_micros(7));
    EXPECT_TRUE(is_signed(receipt));
    const std::function<void(AuditReceipt&)> changes[] = {
        [](AuditReceipt& r) { r.link.entry.at += Duration{1}; },
        [](AuditReceipt& r) { ++r.link.seq; },
        [](AuditReceipt& r) { r.link.hash[0] ^= std::byte{1}; },
        [](AuditReceipt& r) { r.previous[0] ^= std::byte{1}; },
        [](AuditReceipt& r) { ++r.head.seq; },
        [](AuditReceipt& r) { r.head.hash[0] ^= std::byte{1}; },
        [](AuditReceipt& r) { r.issued_at += Duration{1}; },
        [](AuditReceipt& r) { r.key[0] ^= std::byte{1}; },
        [](AuditReceipt& r) { r.signature[0] ^= std::byte{1}; },
        // Another entry with everything that follows from it, but the signature.
        [](AuditReceipt& r) {
            r.link.entry.actor = "nobody";
            r.link.hash = entry_hash(r.previous, r.link.seq, r.link.entry);
        },
    };
    for (const auto& change : changes) {
        AuditReceipt changed = receipt;
        change(changed);
        EXPECT_FALSE(is_signed(changed));
    }
}

}  // namespace
}  // namespace satchel::crypto
