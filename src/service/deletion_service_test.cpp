// A deletion whose traces cannot be cleared yet is a deletion all the same.
#include "service/deletion_service.hpp"

#include "meta/partners.hpp"
#include "meta/renditions.hpp"
#include "meta/sqlite.hpp"
#include "model/api_errors.hpp"
#include "tests/support/blobs.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/memory_blob_store.hpp"
#include "tests/support/raw_database.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

using test::run;

struct DeletionTest : testing::Test {
    test::TempFolder folder;
    const crypto::KeyRing keys = test::new_master_key();
    Clock clock;
    test::MemoryBlobStore blobs;
    std::unique_ptr<meta::Database> database =
        *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});
    OpenDownloads downloads;
    int woken = 0;
    DeletionService deletions{{*database, blobs, clock, downloads, [this] { ++woken; }}};
    const PartnerId partner = PartnerId::random();

    BlobId store(const crypto::Key& key) {
        const BlobId blob = BlobId::random();
        EXPECT_TRUE(run(test::store_blob(blobs, blob, key, Bytes(100, std::byte{7}))));
        EXPECT_TRUE(run(blobs.confirm(blob)));
        return blob;
    }
    // With its content and one other form of it.
    AttachmentId add() {
        const crypto::Key key = crypto::Key::random();
        meta::AttachmentRow row;
        row.id = AttachmentId::random();
        row.partner = partner;
        const crypto::WrappedKey wrapped = keys.wrap(row.id, key);
        row.wrapped_key = wrapped.bytes;
        row.key_version = wrapped.version;
        row.content_type = "image/tiff";
        row.size_bytes = 100;
        row.state = AttachmentState::complete;
        row.blob = store(key);
        const meta::RenditionRow form{
            .form = "jpeg", .blob = store(key), .content_type = "image/jpeg", .size_bytes = 100};
        const Partner owner{partner, "alice", clock.now(), std::nullopt};
        EXPECT_TRUE(run(database->write([&](meta::Session& session) -> Result<> {
            CHECK(meta::insert_partner(session, owner));
            CHECK(meta::insert_attachment(session, row));
            TRY(const bool is_kept, meta::insert_rendition(session, row.id, *row.blob, form));
            EXPECT_TRUE(is_kept);
            return {};
        })));
        return row.id;
    }
    std::size_t blob_count() { return run(blobs.list())->blobs.size(); }
};

TEST_F(DeletionTest, what_cannot_be_cleared_yet_has_lost_its_bytes_and_the_edge_is_told) {
    const AttachmentId id = add();
    ASSERT_EQ(blob_count(), 2U);
    // A snapshot from before keeps the log from being cut.
    test::RawDatabase reader(folder / "meta.db");
    reader.run("BEGIN; SELECT * FROM attachments");
    const auto removed = run(deletions.remove(partner, id, {"delete", "key:test"}));
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().reason, &reasons::overloaded);
    EXPECT_EQ(blob_count(), 0U);
    EXPECT_EQ(woken, 1);
    const auto again = run(deletions.remove(partner, id, {"delete", "key:test"}));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().reason, &reasons::attachment_not_found);
    reader.run("COMMIT");
}

}  // namespace
}  // namespace satchel
