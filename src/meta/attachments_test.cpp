#include "meta/attachments.hpp"

#include "meta/database_suite.hpp"

#include <map>
#include <random>

namespace satchel::meta {
namespace {

using namespace std::chrono_literals;

void expect_equal(const AttachmentRow& a, const AttachmentRow& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.partner, b.partner);
    EXPECT_EQ(a.wrapped_key, b.wrapped_key);
    EXPECT_EQ(a.key_version, b.key_version);
    EXPECT_EQ(a.sealed_name, b.sealed_name);
    EXPECT_EQ(a.content_type, b.content_type);
    EXPECT_EQ(a.size_bytes, b.size_bytes);
    EXPECT_EQ(a.state, b.state);
    EXPECT_EQ(a.tier, b.tier);
    EXPECT_EQ(a.created_at, b.created_at);
    EXPECT_EQ(a.upload_expires_at, b.upload_expires_at);
    EXPECT_EQ(a.blob, b.blob);
    EXPECT_EQ(a.sweep_at, b.sweep_at);
}

TEST_P(AttachmentsSuite, a_row_comes_back_as_it_was_stored) {
    AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(row));
    expect_equal(find(row.id).value(), row);

    AttachmentRow full = pending_row();
    full.state = AttachmentState::complete;
    full.tier = Tier::ephemeral;
    full.blob = BlobId::random();
    full.sweep_at = std::nullopt;
    full.size_bytes = 104'857'600;
    full.wrapped_key = Bytes(wrapped_key_bytes_max, std::byte{0xee});
    ASSERT_TRUE(insert(full));
    reopen();
    expect_equal(find(full.id).value(), full);
}

TEST_P(AttachmentsSuite, an_unknown_id_is_not_there) {
    EXPECT_FALSE(find(AttachmentId::random()));
}

TEST_P(AttachmentsSuite, an_id_or_a_blob_is_taken_once) {
    AttachmentRow row = pending_row();
    row.blob = BlobId::random();
    ASSERT_TRUE(insert(row));
    EXPECT_EQ(insert(row).error().code, Errc::conflict);
    AttachmentRow other = pending_row();
    other.blob = row.blob;
    EXPECT_EQ(insert(other).error().code, Errc::conflict);
    EXPECT_FALSE(find(other.id));
}

TEST_P(AttachmentsSuite, a_key_that_does_not_fit_its_slot_is_refused) {
    AttachmentRow row = pending_row();
    row.wrapped_key = Bytes(wrapped_key_bytes_max + 1);
    EXPECT_EQ(insert(row).error().code, Errc::invalid_argument);
    EXPECT_FALSE(find(row.id));
}

TEST_P(AttachmentsSuite, a_finished_upload_completes_the_row_and_finds_it_by_its_blob) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(row));
    const BlobId blob = complete(row.id);
    AttachmentRow expected = row;
    expected.state = AttachmentState::complete;
    expected.blob = blob;
    expected.sweep_at = std::nullopt;
    expect_equal(find(row.id).value(), expected);
    const auto owner = read([blob](Session& s) { return owner_of_blob(s, blob); }).value();
    EXPECT_EQ(owner, row.id);
    const auto nobody = read([](Session& s) { return owner_of_blob(s, BlobId::random()); });
    EXPECT_EQ(nobody.value(), std::nullopt);
    EXPECT_TRUE(removals().empty());
}

TEST_P(AttachmentsSuite, a_second_upload_replaces_the_blob_and_queues_the_first) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(row));
    const BlobId first = complete(row.id);
    const BlobId second = BlobId::random();
    const StoredUpload again{
        .id = row.id, .state = AttachmentState::complete, .blob = second, .sweep_at = noon + 24h};
    EXPECT_EQ(store(again).replaced, std::vector{first});
    EXPECT_EQ(find(row.id)->blob, second);
    EXPECT_EQ(find(row.id)->sweep_at, noon + 24h);
    EXPECT_EQ(removals(), std::vector{first});
    // The same again replaces nothing.
    EXPECT_TRUE(store(again).replaced.empty());
    EXPECT_EQ(removals(), std::vector{first});
}

TEST_P(AttachmentsSuite, an_upload_of_forbidden_content_fails_the_row) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(row));
    EXPECT_TRUE(store({.id = row.id, .state = AttachmentState::failed, .sweep_at = noon + 24h})
                    .is_stored());
    EXPECT_EQ(find(row.id)->state, AttachmentState::failed);
    EXPECT_EQ(find(row.id)->blob, std::nullopt);
    EXPECT_EQ(find(row.id)->sweep_at, noon + 24h);
}

TEST_P(AttachmentsSuite, what_was_sent_is_not_replaced) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(row));
    const BlobId first = complete(row.id);
    ASSERT_TRUE(write([&](Session& s) { return mark_sent(s, row.id); }));
    EXPECT_TRUE(find(row.id)->is_sent);
    const StoredUpload again{
        .id = row.id, .state = AttachmentState::complete, .blob = BlobId::random()};
    EXPECT_EQ(store(again).outcome, UploadStored::already_sent);
    EXPECT_EQ(find(row.id)->blob, first);
    EXPECT_TRUE(removals().empty());
}

TEST_P(AttachmentsSuite, an_upload_for_a_row_that_is_gone_changes_nothing) {
    const StoredUpload late{
        .id = AttachmentId::random(), .state = AttachmentState::complete, .blob = BlobId::random()};
    EXPECT_EQ(store(late).outcome, UploadStored::row_is_gone);
    EXPECT_TRUE(removals().empty());
}

TEST_P(AttachmentsSuite, removing_takes_the_row_queues_the_blob_and_leaves_an_audit_entry) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(row));
    const BlobId blob = complete(row.id);
    const auto removed = remove(deletion_of(row)).value();
    ASSERT_TRUE(removed);
    EXPECT_EQ(removed->blobs, std::vector{blob});
    EXPECT_FALSE(find(row.id));
    EXPECT_EQ(removals(), std::vector{blob});
    const auto entries = audit();
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].entry.at, noon + 1h);
    EXPECT_EQ(entries[0].entry.partner, row.partner);
    EXPECT_EQ(entries[0].entry.attachment, row.id);
    EXPECT_EQ(entries[0].entry.cause, "delete");
    EXPECT_EQ(entries[0].entry.actor, "key:7");

    EXPECT_FALSE(remove(deletion_of(row)).value());
    EXPECT_EQ(audit().size(), 1U);
}

TEST_P(AttachmentsSuite, a_pending_row_is_removed_without_a_blob) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(row));
    const auto removed = remove(deletion_of(row)).value();
    ASSERT_TRUE(removed);
    EXPECT_TRUE(removed->blobs.empty());
    EXPECT_TRUE(removals().empty());
}

TEST_P(AttachmentsSuite, another_partners_attachment_is_not_removed) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(row));
    AuditEntry entry = deletion_of(row);
    entry.partner = PartnerId::random();
    EXPECT_FALSE(remove(entry).value());
    EXPECT_TRUE(find(row.id));
    EXPECT_TRUE(audit().empty());
}

TEST_P(AttachmentsSuite, blob_removals_are_kept_until_they_are_forgotten) {
    const BlobId a = BlobId::random();
    const BlobId b = BlobId::random();
    ASSERT_TRUE(write([=](Session& s) -> Result<> {
        CHECK(queue_blob_removal(s, a));
        CHECK(queue_blob_removal(s, b));
        return queue_blob_removal(s, a);
    }));
    EXPECT_EQ(removals(), (std::vector{a, b, a}));
    const auto one = read([](Session& s) { return pending_blob_removals(s, 1); }).value();
    ASSERT_EQ(one.size(), 1U);
    const auto forget = [this](const std::vector<BlobRemoval>& done) {
        return write([done](Session& s) { return forget_blob_removals(s, done); });
    };
    ASSERT_TRUE(forget(one));
    EXPECT_EQ(removals(), (std::vector{b, a}));
    ASSERT_TRUE(forget(one)) << "what is forgotten already";
    const auto rest = read([](Session& s) { return pending_blob_removals(s, 10); }).value();
    ASSERT_TRUE(forget(rest));
    EXPECT_TRUE(removals().empty());
}

TEST_P(AttachmentsSuite, a_removal_that_was_forgotten_takes_no_later_one_with_it) {
    const auto queue = [this](BlobId blob) {
        return write([=](Session& s) { return queue_blob_removal(s, blob); });
    };
    const auto pending = [this] {
        return read([](Session& s) { return pending_blob_removals(s, 10); }).value();
    };
    const auto forget = [this](const std::vector<BlobRemoval>& done) {
        return write([done](Session& s) { return forget_blob_removals(s, done); });
    };
    ASSERT_TRUE(queue(BlobId::random()));
    const auto looked_at = pending();
    ASSERT_TRUE(forget(looked_at));
    const BlobId later = BlobId::random();
    ASSERT_TRUE(queue(later));
    ASSERT_TRUE(forget(looked_at));
    EXPECT_EQ(removals(), std::vector{later});
}

TEST_P(AttachmentsSuite, rows_fall_due_at_their_time_oldest_first) {
    std::vector<AttachmentRow> rows(4, pending_row());
    const std::array<std::optional<Time>, 4> times{noon + 2s, noon + 1s, noon + 3s, std::nullopt};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].id = AttachmentId::random();
        rows[i].sweep_at = times[i];
        ASSERT_TRUE(insert(rows[i]));
    }
    const auto due = [this](Time now, std::size_t max) {
        std::vector<AttachmentId> ids;
        const auto found = read([=](Session& s) { return due_attachments(s, now, max); });
        for (const auto& row : found.value()) ids.push_back(row.id);
        return ids;
    };
    EXPECT_TRUE(due(noon, 10).empty());
    EXPECT_EQ(due(noon + 2s, 10), (std::vector{rows[1].id, rows[0].id}));
    EXPECT_EQ(due(noon + 9s, 10), (std::vector{rows[1].id, rows[0].id, rows[2].id}));
    EXPECT_EQ(due(noon + 9s, 2), (std::vector{rows[1].id, rows[0].id}));
}

TEST_P(AttachmentsSuite, only_a_pending_upload_can_fail) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(row));
    const auto fail_it = [this, &row] {
        return write([id = row.id](Session& s) { return fail_upload(s, id, noon + 24h); }).value();
    };
    EXPECT_TRUE(fail_it());
    EXPECT_EQ(find(row.id)->state, AttachmentState::failed);
    EXPECT_EQ(find(row.id)->sweep_at, noon + 24h);
    EXPECT_FALSE(fail_it());
    complete(row.id);
    EXPECT_FALSE(fail_it());
    EXPECT_EQ(find(row.id)->state, AttachmentState::complete);
    EXPECT_FALSE(
        write([](Session& s) { return fail_upload(s, AttachmentId::random(), noon); }).value());
}

TEST_P(AttachmentsSuite, pages_in_id_order_reach_every_row_once) {
    std::map<AttachmentId, AttachmentRow> expected;
    for (int i = 0; i < 25; ++i) {
        const AttachmentRow row = pending_row();
        ASSERT_TRUE(insert(row));
        expected.emplace(row.id, row);
    }
    std::vector<AttachmentRow> rows;
    for (AttachmentId after;;) {
        const auto page = read([=](Session& s) { return attachments_after(s, after, 10); }).value();
        if (page.empty()) break;
        EXPECT_LE(page.size(), 10U);
        rows.insert(rows.end(), page.begin(), page.end());
        after = page.back().id;
    }
    ASSERT_EQ(rows.size(), expected.size());
    auto it = expected.begin();
    for (const auto& row : rows) expect_equal(row, (it++)->second);
}

// Slots of removed keys are taken again: no row may ever see another's key.
TEST_P(AttachmentsSuite, every_row_keeps_its_own_key_through_many_removals) {
    std::mt19937 random(7);
    std::vector<AttachmentRow> rows;
    for (int round = 0; round < 20; ++round) {
        const auto result = write([&](Session& s) -> Result<> {
            for (int i = 0; i < 20; ++i) {
                AttachmentRow row = pending_row();
                row.wrapped_key = some_bytes(row.id.str());
                CHECK(insert_attachment(s, row));
                rows.push_back(row);
            }
            for (int i = 0; i < 12; ++i) {
                const auto victim =
                    rows.begin() + static_cast<std::ptrdiff_t>(random() % rows.size());
                CHECK(remove_attachment(s, deletion_of(*victim)));
                rows.erase(victim);
            }
            return {};
        });
        ASSERT_TRUE(result);
    }
    for (const auto& row : rows) EXPECT_EQ(find(row.id)->wrapped_key, row.wrapped_key);
}

}  // namespace
}  // namespace satchel::meta
