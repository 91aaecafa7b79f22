#include "meta/sqlite_schema.hpp"

#include "meta/attachments.hpp"
#include "meta/database_suite.hpp"
#include "meta/migrations.hpp"
#include "meta/sqlite.hpp"
#include "meta/usage.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/raw_database.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace satchel::meta {
namespace {

std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

// A migration that was released never changes: databases out there have run it.
TEST(Migrations, are_numbered_without_gaps_and_never_change) {
    constexpr std::array<std::uint64_t, 14> released{
        12483364298200750850U, 4639174314646700127U, 15155848643508863086U, 16277521624923630199U,
        6501507131664864470U,  451493097755851080U,  15868856626615786547U, 13820355661597817473U,
        14632554083647408470U, 5089197230155816916U, 12449490507270869799U, 15093042302539755448U,
        8095742309855413250U,  17685857464085892060U};
    ASSERT_EQ(migrations.size(), released.size()) << "add the new migration's hash";
    for (std::size_t i = 0; i < migrations.size(); ++i) {
        EXPECT_EQ(migrations[i].number, static_cast<int>(i) + 1);
        EXPECT_EQ(fnv1a(migrations[i].sql), released[i]) << "migration " << i + 1;
    }
}

struct OlderDatabaseTest : testing::Test {
    test::TempFolder folder;
    std::filesystem::path file = folder.path() / "meta.db";
    const crypto::KeyRing keys = test::new_master_key();
    Waiter waiter;

    std::unique_ptr<Database> open() {
        auto database = open_sqlite({.file = file, .keys = &keys});
        EXPECT_TRUE(database) << database.error().message;
        return database ? *std::move(database) : nullptr;
    }
};

// The schema as it was before the migration that says `text`.
void make_older(test::RawDatabase& raw, std::string_view text) {
    int number = 0;
    for (const Migration& migration : migrations) {
        if (std::string_view(migration.sql).contains(text)) break;
        raw.run(migration.sql);
        number = migration.number;
    }
    raw.run("PRAGMA application_id = 1396790339; PRAGMA user_version = " + std::to_string(number));
}

// Before usage was counted, with some attachments in it.
void make_uncounted(const std::filesystem::path& file) {
    test::RawDatabase raw(file);
    make_older(raw, "TABLE partner_usage");
    const std::array states{"pending", "complete", "failed", "complete", "pending"};
    for (std::size_t i = 0; i < 50; ++i) {
        raw.run(
            "INSERT INTO attachments (id, partner, key_slot, key_version, sealed_name, "
            "content_type, size_bytes, state, tier, created_at, upload_expires_at) VALUES "
            "(randomblob(16), x'" +
            std::string(31, '0') + std::to_string(i % 3) + "', 1, 1, x'', 'image/jpeg', " +
            std::to_string(i * 7) + ", '" + states[i % states.size()] + "', 'persistent', 1, 1)");
    }
}

TEST_F(OlderDatabaseTest,
       usage_of_a_database_from_before_is_counted_when_it_is_brought_up_to_date) {
    make_uncounted(file);
    const auto database = open();
    ASSERT_TRUE(database);
    const auto kept = waiter.wait(database->read(all_usage)).value();
    EXPECT_EQ(kept.size(), 3U);
    EXPECT_EQ(kept, waiter.wait(database->read(counted_usage)).value());
}

TEST_F(OlderDatabaseTest, blobs_that_a_database_from_before_has_to_remove_are_still_to_be_removed) {
    {
        test::RawDatabase raw(file);
        make_older(raw, "TABLE appended_blob_removals");
        raw.run("INSERT INTO blob_removals VALUES (randomblob(16)), (randomblob(16))");
    }
    const auto database = open();
    ASSERT_TRUE(database);
    const auto pending = [](Session& s) { return pending_blob_removals(s, 10); };
    EXPECT_EQ(waiter.wait(database->read(pending))->size(), 2U);
}

}  // namespace
}  // namespace satchel::meta
