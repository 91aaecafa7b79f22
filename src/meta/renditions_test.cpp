#include "meta/renditions.hpp"

#include "meta/attachments.hpp"
#include "meta/sqlite.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace satchel::meta {
namespace {

struct RenditionsTest : testing::Test {
    test::TempFolder folder;
    crypto::KeyRing keys = make_keys();
    std::unique_ptr<Database> database = *open_sqlite({.file = folder / "meta.db", .keys = &keys});
    const PartnerId partner = PartnerId::random();
    const AttachmentId attachment = AttachmentId::random();
    BlobId content = BlobId::random();

    crypto::KeyRing make_keys() {
        EXPECT_TRUE(crypto::KeyRing::create(folder / "master.key"));
        return *crypto::KeyRing::open(folder / "master.key");
    }
    template <class Work>
    auto write(Work work) {
        return test::run(database->write(std::move(work), Erases::no));
    }
    template <class Work>
    auto read(Work work) {
        return test::run(database->read(std::move(work)));
    }

    RenditionsTest() {
        AttachmentRow row;
        row.id = attachment;
        row.partner = partner;
        row.wrapped_key = Bytes(48);
        row.content_type = "image/tiff";
        row.size_bytes = 10;
        row.state = AttachmentState::complete;
        row.blob = content;
        EXPECT_TRUE(write([row](Session& s) { return insert_attachment(s, row); }));
    }

    static RenditionRow rendition(std::string form, std::uint32_t width = 0) {
        RenditionRow row;
        row.form = std::move(form);
        row.width = width;
        row.blob = BlobId::random();
        row.content_type = "image/jpeg";
        row.size_bytes = 7;
        return row;
    }
    bool insert(const RenditionRow& row) {
        return *write([&](Session& s) { return insert_rendition(s, attachment, content, row); });
    }
    std::optional<RenditionRow> find(std::string_view form, std::uint32_t width = 0) {
        return *read([&](Session& s) { return find_rendition(s, attachment, form, width); });
    }
    std::size_t count() {
        return read([&](Session& s) { return renditions_of(s, attachment); })->size();
    }
    std::optional<AttachmentId> owner(BlobId blob) {
        return *read([&](Session& s) { return owner_of_blob(s, blob); });
    }
};

TEST_F(RenditionsTest, a_form_is_made_once) {
    const RenditionRow first = rendition("jpeg");
    EXPECT_TRUE(insert(first));
    EXPECT_FALSE(insert(rendition("jpeg")));
    ASSERT_TRUE(find("jpeg"));
    EXPECT_EQ(find("jpeg")->blob, first.blob);
    EXPECT_EQ(find("jpeg")->content_type, "image/jpeg");
    EXPECT_EQ(find("jpeg")->duration_ms, std::nullopt);
    EXPECT_EQ(owner(first.blob), attachment);
}

TEST_F(RenditionsTest, previews_of_several_widths_stand_side_by_side) {
    EXPECT_TRUE(insert(rendition("preview", 320)));
    EXPECT_TRUE(insert(rendition("preview", 640)));
    EXPECT_TRUE(find("preview", 320));
    EXPECT_FALSE(find("preview", 100));
    EXPECT_EQ(count(), 2U);
}

TEST_F(RenditionsTest, one_made_from_content_that_was_replaced_is_not_kept) {
    const BlobId other = BlobId::random();
    EXPECT_FALSE(*write(
        [&](Session& s) { return insert_rendition(s, attachment, other, rendition("jpeg")); }));
    EXPECT_EQ(count(), 0U);
}

TEST_F(RenditionsTest, they_go_with_the_attachment) {
    const RenditionRow row = rendition("jpeg");
    ASSERT_TRUE(insert(row));
    const AuditEntry entry{{}, partner, attachment, "delete", "key:7"};
    const auto removed = *write([&](Session& s) { return remove_attachment(s, entry); });
    ASSERT_TRUE(removed);
    EXPECT_EQ(removed->blobs, (std::vector{row.blob, content}));
    EXPECT_EQ(owner(row.blob), std::nullopt);
    EXPECT_EQ(read([](Session& s) { return pending_blob_removals(s, 10); })->size(), 2U);
}

TEST_F(RenditionsTest, they_go_with_content_that_is_replaced) {
    const RenditionRow row = rendition("preview", 320);
    ASSERT_TRUE(insert(row));
    const StoredUpload again{
        .id = attachment, .state = AttachmentState::complete, .blob = BlobId::random()};
    std::vector<BlobId> replaced;
    ASSERT_TRUE(write([&](Session& s) { return store_upload(s, again, replaced); }));
    EXPECT_EQ(replaced, (std::vector{row.blob, content}));
    EXPECT_EQ(count(), 0U);
}

}  // namespace
}  // namespace satchel::meta
