#include "meta/usage.hpp"

#include "meta/database_suite.hpp"

#include <random>

namespace satchel::meta {
namespace {

Usage nothing_of(PartnerId partner) {
    Usage usage;
    usage.partner = partner;
    return usage;
}

// What is kept, without partners that have nothing left.
Result<std::vector<Usage>> kept_usage(Session& session) {
    TRY(auto kept, all_usage(session));
    std::erase_if(kept, [](const Usage& each) { return each == nothing_of(each.partner); });
    return kept;
}

Result<> make_wrong(Session& session) {
    return session.run("UPDATE partner_usage SET complete = 7, pending_bytes = 1");
}

TEST_P(AttachmentsSuite, usage_follows_an_attachment_from_its_beginning_to_its_end) {
    AttachmentRow row = pending_row();
    row.size_bytes = 100;
    const auto usage = [&] {
        return read([&](Session& s) { return usage_of(s, row.partner); }).value().usage;
    };
    EXPECT_EQ(usage(), nothing_of(row.partner));
    ASSERT_TRUE(insert(row));
    EXPECT_EQ(usage().pending, 1U);
    EXPECT_EQ(usage().files(), 1U);
    EXPECT_EQ(usage().bytes(), 100U);
    complete(row.id);
    complete(row.id);  // A second upload takes the place of the first.
    EXPECT_EQ(usage().pending, 0U);
    EXPECT_EQ(usage().complete, 1U);
    EXPECT_EQ(usage().complete_bytes, 100U);
    ASSERT_TRUE(store({.id = row.id, .state = AttachmentState::failed}).is_stored());
    EXPECT_EQ(usage().failed, 1U);
    EXPECT_EQ(usage().files(), 0U);
    EXPECT_EQ(usage().bytes(), 0U);
    ASSERT_TRUE(remove(deletion_of(row)));
    EXPECT_EQ(usage(), nothing_of(row.partner));
}

TEST_P(AttachmentsSuite, usage_is_exact_after_anything_whatever_is_undone) {
    std::mt19937 random(11);
    const std::array partners{PartnerId::random(), PartnerId::random(), PartnerId::random()};
    std::vector<AttachmentRow> rows;
    for (int i = 0; i < 400; ++i) {
        const bool is_undone = random() % 5 == 0;
        const auto kind = random() % 4;
        AttachmentRow row = rows.empty() || kind == 0 ? pending_row(partners[random() % 3])
                                                      : rows[random() % rows.size()];
        if (rows.empty() || kind == 0) row.size_bytes = random() % 1000 + 1;
        const auto change = [&](Session& s) -> Result<> {
            std::vector<BlobId> replaced;
            const StoredUpload upload{
                .id = row.id,
                .state = random() % 3 == 0 ? AttachmentState::failed : AttachmentState::complete};
            StoredUpload stored = upload;
            if (stored.state == AttachmentState::complete) stored.blob = BlobId::random();
            if (kind == 0) CHECK(insert_attachment(s, row));
            if (kind == 1) CHECK(store_upload(s, stored, replaced));
            if (kind == 2) CHECK(fail_upload(s, row.id, noon));
            if (kind == 3) CHECK(remove_attachment(s, deletion_of(row)));
            return is_undone ? Result<>(fail(Errc::conflict, "undone")) : Result<>{};
        };
        const bool is_new = kind == 0 && !is_undone;
        if (rows.empty() && kind != 0) continue;
        EXPECT_EQ(write(change).has_value(), !is_undone);
        if (is_new) rows.push_back(row);
    }
    ASSERT_FALSE(rows.empty());
    reopen();
    EXPECT_EQ(read(kept_usage).value(), read(counted_usage).value());
    EXPECT_FALSE(read(kept_usage).value().empty());
}

TEST_P(AttachmentsSuite, wrong_usage_is_seen_and_can_be_counted_again) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(row));
    ASSERT_TRUE(write(make_wrong));
    EXPECT_NE(read(kept_usage).value(), read(counted_usage).value());
    ASSERT_TRUE(write(recount_usage));
    EXPECT_EQ(read(kept_usage).value(), read(counted_usage).value());
    EXPECT_EQ(read(all_usage).value().front().pending, 1U);
}

TEST_P(AttachmentsSuite, limits_are_kept_for_one_partner_and_can_be_taken_back) {
    const PartnerId partner = PartnerId::random();
    const auto limits_of = [this](PartnerId id) {
        return read([id](Session& s) { return usage_of(s, id); }).value().own;
    };
    EXPECT_EQ(limits_of(partner), OwnLimits{});
    OwnLimits own{.bytes = 1'000'000'000'000, .files = 0, .pending = std::nullopt, .rates = {}};
    own.rates = {.requests = 60, .creates = std::nullopt, .sends = 0};
    ASSERT_TRUE(write([&](Session& s) { return store_limits(s, partner, own); }));
    reopen();
    EXPECT_EQ(limits_of(partner), own);
    EXPECT_EQ(limits_of(PartnerId::random()), OwnLimits{});
    ASSERT_TRUE(write([&](Session& s) { return store_limits(s, partner, {}); }));
    EXPECT_EQ(limits_of(partner), OwnLimits{});
}

TEST_P(PartnersSuite, a_caller_knows_the_rates_of_its_partner) {
    const Partner partner = add("alice");
    add_key(partner.id, hash_);
    EXPECT_EQ(caller(hash_)->rates, OwnRates{});
    OwnLimits own;
    own.rates = {.requests = 7, .creates = 0, .sends = 9};
    ASSERT_TRUE(write([&](Session& s) { return store_limits(s, partner.id, own); }));
    EXPECT_EQ(caller(hash_)->rates, own.rates);
}

}  // namespace
}  // namespace satchel::meta
