// A bit that flips anywhere in the database file is found, or stands in a part of a page that is
// not in use, and changes nothing.
//
// Every 23rd byte that is not zero, and of the zeros one in 43 times that: free space has no
// end. SATCHEL_FLIP_EVERY=1 takes all of the former.
#include "base/limits.hpp"
#include "base/log.hpp"
#include "blob/file_store.hpp"
#include "meta/attachments.hpp"
#include "meta/partners.hpp"
#include "meta/renditions.hpp"
#include "meta/sqlite.hpp"
#include "model/content_type.hpp"
#include "service/fsck.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

namespace satchel {
namespace {

namespace fs = std::filesystem;
using test::run;

struct FlipsTest : testing::Test {
    FlipsTest() { log::set_level(log::Level::off); }
    ~FlipsTest() override { log::set_level(log::Level::info); }

    using Facts = std::map<std::string, std::string>;  // By column, of all rows.

    test::TempFolder folder;
    const crypto::KeyRing keys = test::new_master_key();
    const PartnerId partner = PartnerId::random();
    BlockingPool pool{1};
    std::unique_ptr<blob::Disk> disk = blob::make_posix_disk();
    std::unique_ptr<blob::Store> blobs = *blob::FileStore::open(folder / "blobs", pool, *disk);
    std::vector<AttachmentId> ids;

    void write_blob(BlobId id, const crypto::Key& attachment_key) {
        auto writer = run(blobs->create(id, crypto::blob_key(attachment_key, id)));
        Bytes bytes(200, std::byte{7});
        ASSERT_TRUE(run((*writer)->append(bytes, crypto::Last::yes)));
        ASSERT_TRUE(run((*writer)->commit()));
        ASSERT_TRUE(run(blobs->confirm(id)));
    }

    void add(meta::Database& database, AttachmentState state) {
        const crypto::Key key = crypto::Key::random();
        meta::AttachmentRow row;
        row.id = AttachmentId::random();
        row.partner = partner;
        crypto::WrappedKey wrapped = keys.wrap(row.id, key);
        row.wrapped_key = std::move(wrapped.bytes);
        row.key_version = wrapped.version;
        row.sealed_name =
            crypto::seal_once(crypto::name_key(key), row.id.bytes(), as_bytes("photo.jpg"));
        row.content_type = "image/jpeg";
        row.detected_type = "image/jpeg";
        row.size_bytes = 200;
        row.state = state;
        row.created_at = from_micros(1'767'225'600'123'456);
        row.upload_expires_at = row.created_at + limits::upload_window;
        if (state == AttachmentState::pending) row.sweep_at = row.upload_expires_at;
        if (state == AttachmentState::complete) {
            row.blob = BlobId::random();
            write_blob(*row.blob, key);
        }
        ASSERT_TRUE(run(database.write(
            [row](meta::Session& session) { return meta::insert_attachment(session, row); })));
        ids.push_back(row.id);
        if (!row.blob) return;
        const BlobId rendition = BlobId::random();
        write_blob(rendition, key);
        ASSERT_TRUE(run(database.write([row, rendition](meta::Session& session) {
            return meta::insert_rendition(session, row.id, *row.blob,
                                          {.form = "jpeg",
                                           .width = 640,
                                           .blob = rendition,
                                           .content_type = "image/jpeg",
                                           .size_bytes = 200});
        })));
    }

    void make_store() {
        const auto database = *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});
        const Partner owner{partner, "alice", Time{}, std::nullopt};
        ASSERT_TRUE(run(database->write(
            [owner](meta::Session& session) { return meta::insert_partner(session, owner); })));
        for (int i = 0; i < 3; ++i) add(*database, AttachmentState::complete);
        add(*database, AttachmentState::pending);
        for (int i = 0; i < 3; ++i) {
            add(*database, AttachmentState::pending);
            const AuditEntry entry{Time{}, partner, ids.back(), "delete", "operator"};
            ids.pop_back();
            ASSERT_TRUE(run(database->write(
                [entry](meta::Session& session) { return meta::remove_attachment(session, entry); },
                meta::Erases::yes)));
        }
    }

    // Letters of another case are the same type.
    static std::string served_as(std::string_view name) {
        const ContentType* const type = find_content_type(name);
        return std::string(type == nullptr ? name : type->name);
    }

    // All that is known of the attachments, as their owner finds them.
    Result<Facts> facts_of(meta::Database& database) {
        Facts facts;
        for (const AttachmentId id : ids) {
            TRY(const auto row, run(database.read([id](meta::Session& session) {
                    return meta::find_stored_attachment(session, id);
                })));
            if (!row) {
                facts["id"] += "gone,";
                continue;
            }
            facts["partner"] += row->partner.str() + ",";
            facts["name"] += to_hex(row->sealed_name) + ",";
            facts["key"] += to_hex(row->wrapped_key) + ",";
            facts["size"] += std::to_string(row->size_bytes) + ",";
            facts["state"] += std::string(to_string(row->state)) + ",";
            facts["blob"] += (row->blob ? row->blob->str() : "none") + ",";
            facts["content_type"] += served_as(row->content_type) + ",";
            facts["detected_type"] += served_as(row->detected_type) + ",";
            facts["flags"] += std::to_string(row->is_sent) + std::to_string(row->contradicts_type) +
                              std::to_string(row->is_unscanned) + ",";
            facts["tier"] += std::string(to_string(row->tier)) + ",";
            facts["created_at"] += to_rfc3339(row->created_at) + ",";
            facts["upload_expires_at"] += to_rfc3339(row->upload_expires_at) + ",";
            facts["sweep_at"] += (row->sweep_at ? to_rfc3339(*row->sweep_at) : "none") + ",";
        }
        return facts;
    }

    // Nullopt: it was found. Else what is told of the attachments now.
    std::optional<Facts> look_at(const fs::path& file) {
        const auto database =
            meta::open_sqlite({.file = file, .access = meta::Access::read_only, .keys = &keys});
        if (!database) return std::nullopt;
        const auto report = run(fsck(**database, *blobs, keys, Repair::no));
        if (!report || !report->clean()) return std::nullopt;
        auto facts = facts_of(**database);
        return facts ? std::optional(*std::move(facts)) : std::nullopt;
    }
};

constexpr std::size_t zero_share = 43;

std::size_t stride() {
    const char* const every = std::getenv("SATCHEL_FLIP_EVERY");
    return every == nullptr ? 23 : std::max<std::size_t>(1, std::strtoul(every, nullptr, 10));
}

TEST_F(FlipsTest, a_flipped_bit_anywhere_in_the_database_is_found_or_changes_nothing) {
    make_store();
    std::ifstream in(folder / "meta.db", std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const fs::path file = folder / "flipped.db";
    const auto write = [&] { std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes; };
    write();
    const auto original = look_at(file);
    ASSERT_TRUE(original);

    // Of bytes that are not zero, most of which are in use.
    std::size_t flips = 0;
    std::size_t found = 0;
    std::size_t zeros = 0;
    std::size_t others = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        const char before = bytes[at];
        const bool is_taken =
            before == 0 ? ++zeros % (zero_share * stride()) == 0 : ++others % stride() == 0;
        if (!is_taken) continue;
        bytes[at] = static_cast<char>(before ^ (1 << (at % 8)));
        write();
        const auto facts = look_at(file);
        flips += before == 0 ? 0 : 1;
        if (!facts) {
            found += before == 0 ? 0 : 1;
        } else {
            EXPECT_EQ(*facts, *original) << "changed by byte " << at << ", and nobody saw it";
        }
        bytes[at] = before;
    }
    EXPECT_GT(found, flips * 9 / 10);
    EXPECT_GT(flips, 500U);
}

}  // namespace
}  // namespace satchel
