#include "meta/page_checks.hpp"

#include "base/log.hpp"
#include "meta/database_suite.hpp"
#include "meta/partners.hpp"
#include "meta/sqlite.hpp"
#include "meta/sqlite_traces.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace satchel::meta {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void store(const fs::path& file, const std::string& content) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
}

struct PageChecksTest : testing::Test {
    PageChecksTest() { log::set_level(log::Level::off); }
    ~PageChecksTest() override { log::set_level(log::Level::info); }

    test::TempFolder folder;
    const crypto::KeyRing keys = test::new_master_key();
    const fs::path file = folder / "meta.db";
    const fs::path other = folder / "other.db";
    Waiter waiter;

    std::unique_ptr<Database> open(const fs::path& path, Access access = Access::read_write) {
        auto opened = open_sqlite({.file = path, .access = access, .keys = &keys});
        return opened ? *std::move(opened) : nullptr;
    }
    std::vector<AttachmentRow> add(Database& database, std::size_t count) {
        std::vector<AttachmentRow> rows(count);
        for (AttachmentRow& row : rows) {
            row = pending_row();
            EXPECT_TRUE(waiter.wait(database.write(
                [row](Session& session) { return insert_attachment(session, row); })));
        }
        return rows;
    }
    std::vector<std::uint64_t> damaged_pages(const fs::path& path) {
        const auto database = open(path, Access::read_only);
        if (!database) return {0};
        std::vector<std::uint64_t> damaged;
        std::uint64_t from = 1;
        while (from != 0) {
            const auto look = waiter.wait(
                database->read([from](Session& session) { return look_at_pages(session, from); }));
            EXPECT_TRUE(look);
            if (!look) break;
            damaged.insert(damaged.end(), look->damaged.begin(), look->damaged.end());
            from = look->next;
        }
        return damaged;
    }
    // Flips a bit on every leaf page on which these bytes stand.
    void damage_pages_with(ByteView needle) {
        std::string bytes = content_of(file);
        const std::string good = bytes;
        for (std::size_t at = 0; at < good.size(); at += page_bytes) {
            const auto page = std::string_view(good).substr(at, page_bytes);
            const bool is_leaf = page.front() == 0x0a || page.front() == 0x0d;
            if (is_leaf && page.contains(as_text(needle))) bytes[at + page_bytes - 1] ^= 1;
        }
        ASSERT_NE(bytes, good);
        store(file, bytes);
    }
    // Of many pages, with gaps in them, and closed.
    void make_database() {
        const auto database = open(file);
        const auto rows = add(*database, 300);
        for (std::size_t i = 0; i < rows.size(); i += 3) {
            EXPECT_TRUE(waiter.wait(database->write(
                [row = rows[i]](Session& s) { return remove_attachment(s, deletion_of(row)); },
                Erases::yes)));
        }
    }
};

TEST_F(PageChecksTest, pages_in_each_others_place_are_found) {
    make_database();
    const std::string good = content_of(file);
    ASSERT_EQ(damaged_pages(file), std::vector<std::uint64_t>{});
    std::string bad = good;
    const std::size_t last = good.size() / page_bytes;
    bad.replace((last - 1) * page_bytes, page_bytes, good, (last - 2) * page_bytes, page_bytes);
    bad.replace((last - 2) * page_bytes, page_bytes, good, (last - 1) * page_bytes, page_bytes);
    store(other, bad);
    EXPECT_EQ(damaged_pages(other), (std::vector<std::uint64_t>{last - 1, last}));
}

TEST_F(PageChecksTest, a_write_that_meets_a_damaged_page_fails_alone) {
    AttachmentRow hit;
    {
        const auto database = open(file);
        hit = add(*database, 300).front();
    }
    damage_pages_with(hit.id.bytes());
    const auto database = open(file);
    ASSERT_TRUE(database);
    std::array<std::optional<Result<>>, 20> others;
    std::optional<Result<std::optional<Removed>>> removed;
    for (std::size_t i = 0; i < others.size(); ++i) {
        const Partner partner{PartnerId::random(), std::to_string(i), Time{}, std::nullopt};
        waiter.start(database->write([partner](Session& s) { return insert_partner(s, partner); }),
                     others[i]);
        if (i != others.size() / 2) continue;
        waiter.start(
            database->write([hit](Session& s) { return remove_attachment(s, deletion_of(hit)); },
                            Erases::yes),
            removed);
    }
    waiter.run();
    ASSERT_FALSE(*removed);
    EXPECT_EQ(removed->error().code, Errc::corrupt) << removed->error().detail;
    for (const auto& other : others) EXPECT_TRUE(*other) << other->error().detail;
}

// As a power cut leaves them: in the middle of copying the log into the file.
TEST_F(PageChecksTest, pages_that_are_torn_in_the_file_and_whole_in_the_log_are_no_damage) {
    const auto database = open(file);
    const auto rows = add(*database, 200);
    std::string bytes = content_of(file);
    const std::string log = content_of(file.string() + "-wal");
    ASSERT_GT(log.size(), 100 * page_bytes);
    // The log has the first page, and the last ones of the file.
    for (const std::size_t page : {std::size_t{0}, bytes.size() / page_bytes - 1}) {
        bytes.replace(page * page_bytes + 2048, 1024, std::string(1024, 'x'));
    }
    store(other, bytes);
    store(other.string() + "-wal", log);
    EXPECT_EQ(damaged_pages(other), std::vector<std::uint64_t>{});
    const auto recovered = open(other);
    ASSERT_TRUE(recovered);
    for (const AttachmentRow& row : rows) {
        EXPECT_TRUE(waiter
                        .wait(recovered->read([id = row.id](Session& session) {
                            return find_stored_attachment(session, id);
                        }))
                        .value());
    }
    EXPECT_EQ(damaged_pages(other), std::vector<std::uint64_t>{});
}

// As a power cut leaves them that comes while traces are cleared in place.
TEST_F(PageChecksTest, pages_that_are_cleared_half_agree) {
    make_database();
    std::string bytes = content_of(file);
    std::size_t half_cleared = 0;
    for (std::size_t page = 1; page < bytes.size() / page_bytes; ++page) {
        std::array<std::byte, page_bytes> cleared{};
        const auto before = as_bytes(bytes).subspan(page * page_bytes, page_bytes);
        std::ranges::copy(before, cleared.begin());
        if (!clear_unused(cleared, 0)) continue;
        ++half_cleared;
        // The first half of the page is on the disk, the second is not.
        const auto half = as_text(cleared).substr(0, page_bytes / 2);
        bytes.replace(page * page_bytes, half.size(), half);
    }
    ASSERT_GT(half_cleared, 0U);
    store(other, bytes);
    EXPECT_EQ(damaged_pages(other), std::vector<std::uint64_t>{});
}

}  // namespace
}  // namespace satchel::meta
