#include "meta/ownership.hpp"

#include "meta/database_suite.hpp"

namespace satchel::meta {
namespace {

TEST_P(AttachmentsSuite, only_ones_own_attachment_is_found) {
    std::vector<AttachmentRow> rows(50);
    const auto finds = [this](AttachmentId id, PartnerId partner) {
        return read([=](Session& s) { return find_own_attachment(s, id, partner, noon); }).value();
    };
    const PartnerId nobody = PartnerId::random();
    EXPECT_FALSE(finds(AttachmentId::random(), nobody)) << "in an empty table";
    for (AttachmentRow& row : rows) {
        row = pending_row();
        ASSERT_TRUE(insert(row));
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto found = finds(rows[i].id, rows[i].partner);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->id, rows[i].id);
        EXPECT_FALSE(finds(rows[i].id, nobody));
        // Whatever row an unknown id is led to, its owner does not get it.
        for (const AttachmentRow& other : rows) {
            ASSERT_FALSE(finds(AttachmentId::random(), other.partner));
        }
        ASSERT_TRUE(remove(deletion_of(rows[i])));
        EXPECT_FALSE(finds(rows[i].id, rows[i].partner));
    }
}

}  // namespace
}  // namespace satchel::meta
