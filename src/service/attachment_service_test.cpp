#include "service/attachment_service.hpp"

#include "base/limits.hpp"
#include "meta/partners.hpp"
#include "meta/sqlite.hpp"
#include "model/api_errors.hpp"
#include "service/deletion_service.hpp"
#include "tests/support/blobs.hpp"
#include "tests/support/memory_blob_store.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/text_body.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

using test::run;
using test::TextBody;

crypto::KeyRing make_keys(const std::filesystem::path& file) {
    const auto made = crypto::KeyRing::create(file);
    EXPECT_TRUE(made);
    return *crypto::KeyRing::open(file);
}

struct AttachmentServiceTest : testing::Test {
    test::TempFolder folder;
    crypto::KeyRing keys = make_keys(folder / "master.key");
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    test::MemoryBlobStore blobs;
    std::unique_ptr<meta::Database> database =
        *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});
    ContentInspector inspector{{blobs}};
    OpenDownloads downloads;
    AttachmentService service{{*database, blobs, keys, clock, {}, inspector, downloads}};
    DeletionService deletions{{*database, blobs, clock, downloads}};
    const PartnerId alice = add_partner("alice");
    const PartnerId bob = add_partner("bob");

    PartnerId add_partner(std::string name) {
        Partner partner{PartnerId::random(), std::move(name), clock.now(), std::nullopt};
        auto insert = [partner](meta::Session& session) {
            return meta::insert_partner(session, partner);
        };
        EXPECT_TRUE(run(database->write(insert)));
        return partner.id;
    }

    Attachment create(std::uint64_t size, std::string filename = "photo.jpg") {
        auto created = run(service.create(
            alice, {std::move(filename), "image/jpeg", static_cast<std::int64_t>(size)}));
        EXPECT_TRUE(created);
        return *created;
    }

    UploadRefusal refusal = UploadRefusal::none;
    Result<StoredAttachment> store(const Attachment& attachment,
                                   Bytes bytes,
                                   std::vector<std::pair<crypto::DigestKind, Bytes>> digests = {}) {
        TextBody body(std::move(bytes));
        body.ends_with = Errc::invalid_argument;
        StoreUpload command{attachment.id, attachment.size_bytes, std::move(digests)};
        return run(service.store(std::move(command), body, refusal));
    }

    Result<Bytes> fetch(AttachmentId id) {
        auto found = run(service.find_for_download(alice, id));
        if (!found) return std::unexpected(found.error());
        const std::uint64_t size = found->attachment.size_bytes;
        auto reader = run(service.open(*found));
        if (!reader) return std::unexpected(reader.error());
        return run(test::read_bytes(**reader, 0, size));
    }

    const Reason* reason_of(const auto& result) { return result ? nullptr : result.error().reason; }

    void sweep_all() {
        for (int i = 0; i < 10; ++i) {
            ASSERT_TRUE(run(service.settle_doubtful()));
            const auto rows = run(deletions.sweep_rows());
            const auto removed = run(deletions.sweep_blobs());
            ASSERT_TRUE(rows && removed);
            if (*rows + *removed == 0) return;
        }
        FAIL() << "the sweeper never ends";
    }

    std::size_t blob_count() {
        return run(blobs.list())->blobs.size() + run(blobs.unconfirmed())->size();
    }
};

TEST_F(AttachmentServiceTest, what_was_stored_comes_back_under_its_name) {
    const Bytes bytes = test::sample_bytes(300'000);
    const Attachment attachment = create(bytes.size(), "fünf \"x\"\n.jpg");
    EXPECT_EQ(attachment.state, AttachmentState::pending);
    const auto stored = store(attachment, bytes);
    ASSERT_TRUE(stored);
    EXPECT_EQ(*fetch(attachment.id), bytes);
    const auto found = run(service.find(alice, attachment.id));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->filename, "fünf \"x\"\n.jpg");
    EXPECT_EQ(found->state, AttachmentState::complete);
    EXPECT_EQ(etag_of(*found->blob), stored->etag);
}

TEST_F(AttachmentServiceTest, the_limits_of_a_declaration) {
    const auto reason = [this](std::string name, std::string type, std::int64_t size) {
        return reason_of(run(service.create(alice, {std::move(name), std::move(type), size})));
    };
    EXPECT_EQ(reason("a", "image/png", 0), &reasons::invalid_parameter);
    EXPECT_EQ(reason("a", "image/png", -1), &reasons::invalid_parameter);
    EXPECT_EQ(reason("a", "image/png", 104'857'600), nullptr);
    EXPECT_EQ(reason("a", "image/png", 104'857'601), &reasons::file_too_large);
    EXPECT_EQ(reason("", "image/png", 1), &reasons::invalid_parameter);
    EXPECT_EQ(reason("a", "image/webp", 1), &reasons::invalid_file_type);
    EXPECT_EQ(reason("a.exe", "image/png", 1), &reasons::invalid_file_type);
}

TEST_F(AttachmentServiceTest, a_foreign_attachment_looks_like_an_unknown_one) {
    const Attachment attachment = create(3);
    ASSERT_TRUE(store(attachment, test::sample_bytes(3)));
    for (const AttachmentId id : {attachment.id, AttachmentId::random()}) {
        EXPECT_EQ(reason_of(run(service.find(bob, id))), &reasons::attachment_not_found);
        EXPECT_EQ(reason_of(run(service.find_for_download(bob, id))),
                  &reasons::attachment_not_found);
        EXPECT_EQ(reason_of(run(deletions.remove(bob, id, {"delete", "key:x"}))),
                  &reasons::attachment_not_found);
    }
    EXPECT_TRUE(fetch(attachment.id));
}

TEST_F(AttachmentServiceTest, a_cut_or_stalled_upload_leaves_nothing_and_can_be_tried_again) {
    const Bytes bytes = test::sample_bytes(200'000);
    const Attachment attachment = create(bytes.size());
    EXPECT_FALSE(store(attachment, Bytes(bytes.begin(), bytes.end() - 1)));
    EXPECT_EQ(refusal, UploadRefusal::incomplete_body);
    EXPECT_EQ(blob_count(), 0U);
    EXPECT_EQ(run(service.find(alice, attachment.id))->state, AttachmentState::pending);
    EXPECT_EQ(reason_of(run(service.find_for_download(alice, attachment.id))),
              &reasons::attachment_not_found);
    ASSERT_TRUE(store(attachment, bytes));
    EXPECT_EQ(*fetch(attachment.id), bytes);
}

TEST_F(AttachmentServiceTest, a_second_upload_replaces_the_first_and_its_bytes) {
    const Attachment attachment = create(10);
    const auto first = store(attachment, test::sample_bytes(10, 1));
    const auto second = store(attachment, test::sample_bytes(10, 2));
    ASSERT_TRUE(first && second);
    EXPECT_NE(first->etag, second->etag);
    EXPECT_EQ(*fetch(attachment.id), test::sample_bytes(10, 2));
    EXPECT_EQ(blob_count(), 1U);
}

TEST_F(AttachmentServiceTest, a_wrong_checksum_stores_nothing) {
    const Bytes bytes = test::sample_bytes(1000);
    const Attachment attachment = create(bytes.size());
    const auto digest = crypto::sha256(bytes);
    Bytes right(digest.begin(), digest.end());
    Bytes wrong = right;
    wrong[5] ^= std::byte{1};
    EXPECT_FALSE(store(attachment, bytes, {{crypto::DigestKind::sha256, wrong}}));
    EXPECT_EQ(refusal, UploadRefusal::bad_digest);
    EXPECT_EQ(blob_count(), 0U);
    EXPECT_TRUE(store(attachment, bytes, {{crypto::DigestKind::sha256, right}}));
}

TEST_F(AttachmentServiceTest, forbidden_content_is_taken_but_never_kept) {
    Bytes program = test::sample_bytes(200'000);
    std::ranges::copy(as_bytes("\x7f"
                               "ELF"),
                      program.begin());
    const Attachment attachment = create(program.size());
    EXPECT_TRUE(store(attachment, program));
    EXPECT_EQ(run(service.find(alice, attachment.id))->state, AttachmentState::failed);
    EXPECT_EQ(blob_count(), 0U);
    clock.advance(limits::failed_row_life);
    sweep_all();
    EXPECT_FALSE(run(service.find(alice, attachment.id)));
}

TEST_F(AttachmentServiceTest, a_deleted_attachment_is_gone_and_audited) {
    const Attachment attachment = create(10);
    ASSERT_TRUE(store(attachment, test::sample_bytes(10)));
    ASSERT_TRUE(run(deletions.remove(alice, attachment.id, {"delete", "key:1"})));
    EXPECT_EQ(blob_count(), 0U);
    EXPECT_FALSE(run(service.find(alice, attachment.id)));
    EXPECT_EQ(reason_of(run(deletions.remove(alice, attachment.id, {"delete", "key:1"}))),
              &reasons::attachment_not_found);
    EXPECT_FALSE(store(attachment, test::sample_bytes(10)));
    EXPECT_EQ(refusal, UploadRefusal::no_such_upload);
    EXPECT_EQ(blob_count(), 0U);

    auto read_audit = [](meta::Session& session) { return meta::audit_after(session, 0, 10); };
    const auto audit = run(database->read(read_audit));
    ASSERT_TRUE(audit);
    ASSERT_EQ(audit->size(), 1U);
    EXPECT_EQ(audit->front().entry.attachment, attachment.id);
    EXPECT_EQ(audit->front().entry.partner, alice);
    EXPECT_EQ(audit->front().entry.actor, "key:1");
    EXPECT_EQ(audit->front().entry.at, clock.now());
}

TEST_F(AttachmentServiceTest, a_lapsed_upload_fails_at_once_and_is_dropped_after_a_day) {
    const Attachment attachment = create(10);
    clock.advance(limits::upload_window - std::chrono::seconds(1));
    EXPECT_EQ(run(service.find(alice, attachment.id))->state, AttachmentState::pending);
    clock.advance(std::chrono::seconds(1));
    EXPECT_EQ(run(service.find(alice, attachment.id))->state, AttachmentState::failed);
    sweep_all();
    EXPECT_EQ(run(service.find(alice, attachment.id))->state, AttachmentState::failed);
    clock.advance(limits::failed_row_life);
    sweep_all();
    EXPECT_FALSE(run(service.find(alice, attachment.id)));
}

TEST_F(AttachmentServiceTest, sweeping_leaves_what_is_complete) {
    const Attachment attachment = create(10);
    ASSERT_TRUE(store(attachment, test::sample_bytes(10)));
    clock.advance(std::chrono::hours(24 * 365));
    sweep_all();
    EXPECT_EQ(*fetch(attachment.id), test::sample_bytes(10));
}

// Whatever call of the store fails: the client sees it, nothing half done is visible, nothing
// is left behind once start-up was there, and the next try works.
TEST_F(AttachmentServiceTest, a_failing_store_never_leaves_half_an_upload) {
    const Bytes bytes = test::sample_bytes(300'000);
    for (int step = 0;; ++step) {
        ASSERT_LT(step, 50);
        test::MemoryBlobStore store_to_fail;
        ContentInspector looking{{store_to_fail}};
        AttachmentService failing{{*database, store_to_fail, keys, clock, {}, looking, downloads}};
        const Attachment attachment = create(bytes.size());
        store_to_fail.fail_at = step;
        TextBody body(bytes);
        const StoreUpload command{attachment.id, bytes.size(), {}};
        const auto stored = run(failing.store(command, body, refusal));
        store_to_fail.fail_at = -1;
        const bool is_complete =
            run(failing.find(alice, attachment.id))->state == AttachmentState::complete;
        EXPECT_EQ(stored.has_value(), is_complete) << "at step " << step;
        ASSERT_TRUE(run(failing.recover()));
        EXPECT_EQ(run(store_to_fail.list())->blobs.size(), is_complete ? 1U : 0U)
            << "at step " << step;
        if (!stored) {
            TextBody again(bytes);
            EXPECT_TRUE(run(failing.store(command, again, refusal))) << "at step " << step;
        }
        if (!store_to_fail.failed()) break;  // Every call was walked.
    }
}

TEST_F(AttachmentServiceTest, a_delete_that_was_interrupted_is_finished_at_start_up) {
    const Attachment attachment = create(10);
    ASSERT_TRUE(store(attachment, test::sample_bytes(10)));
    // The transaction of a delete, without what follows it.
    const meta::AuditEntry entry{clock.now(), alice, attachment.id, "delete", "key:1"};
    auto remove_row = [entry](meta::Session& session) {
        return meta::remove_attachment(session, entry);
    };
    ASSERT_TRUE(run(database->write(remove_row, meta::Erases::yes)));
    EXPECT_EQ(blob_count(), 1U);
    ASSERT_TRUE(run(deletions.recover()));
    EXPECT_EQ(blob_count(), 0U);
}

TEST_F(AttachmentServiceTest, a_download_that_is_open_gives_nothing_more_after_the_delete) {
    const Attachment attachment = create(300'000);
    ASSERT_TRUE(store(attachment, Bytes(300'000)));
    const auto found = run(service.find_for_download(alice, attachment.id));
    ASSERT_TRUE(found);
    const auto reader = run(service.open(*found));
    ASSERT_TRUE(reader);
    EXPECT_TRUE(run(test::read_bytes(**reader, 0, 100)));
    ASSERT_TRUE(run(deletions.remove(alice, attachment.id, {"delete", "key:x"})));
    EXPECT_TRUE((*reader)->withdrawn());
    const auto more = run(test::read_bytes(**reader, 100, 100));
    EXPECT_EQ(reason_of(more), &reasons::attachment_not_found);
    EXPECT_EQ(reason_of(run(service.open(*found))), &reasons::attachment_not_found);
}

TEST_F(AttachmentServiceTest, a_batch_removes_what_is_there_and_what_goes_beside_it_together) {
    const Attachment first = create(10);
    const Attachment second = create(10);
    ASSERT_TRUE(store(first, Bytes(10)));
    const std::vector<OwnedAttachment> batch{
        {alice, first.id}, {alice, second.id}, {alice, AttachmentId::random()}, {bob, second.id}};
    const auto removed = run(deletions.remove_all(
        batch, {"erase", "operator"}, [](meta::Session&) { return Result<std::size_t>(7); }));
    ASSERT_TRUE(removed);
    EXPECT_EQ(removed->attachments, 2U);
    EXPECT_EQ(removed->beside, 7U);
    EXPECT_EQ(blob_count(), 0U);
    const auto third = create(10);
    const auto refused = run(deletions.remove_all(
        {{alice, third.id}}, {"erase", "operator"},
        [](meta::Session&) -> Result<std::size_t> { return fail(Errc::conflict, "not now"); }));
    EXPECT_FALSE(refused);
    EXPECT_TRUE(run(service.find(alice, third.id))) << "all of it or nothing";
}

}  // namespace
}  // namespace satchel
