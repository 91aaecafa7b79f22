#include "meta/master_keys.hpp"

#include "meta/attachments.hpp"
#include "meta/sqlite.hpp"
#include "tests/support/raw_database.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <iterator>

namespace satchel::meta {
namespace {

using crypto::Key;
using crypto::KeyRing;
using crypto::MasterKey;

struct MasterKeysTest : testing::Test {
    test::TempFolder folder;
    std::filesystem::path file = folder / "meta.db";
    const MasterKey first{.version = 1, .key = Key::random()};
    const MasterKey second{.version = 2, .key = Key::random()};
    const MasterKey third{.version = 3, .key = Key::random()};
    const Time now{std::chrono::seconds(1'800'000'000)};
    std::unique_ptr<Database> database;

    static KeyRing ring(std::vector<MasterKey> keys) {
        return {std::move(keys), "the test's keys"};
    }
    void open(const KeyRing& keys) {
        database.reset();
        auto opened = open_sqlite({.file = file, .keys = &keys});
        ASSERT_TRUE(opened) << opened.error().message;
        database = *std::move(opened);
    }
    Error open_error(const KeyRing& keys, Access access = Access::read_write) {
        database.reset();
        const auto opened = open_sqlite({.file = file, .access = access, .keys = &keys});
        EXPECT_FALSE(opened);
        return opened ? Error{} : opened.error();
    }
    template <class Work>
    auto write(Work work) {
        return test::run(database->write(std::move(work), Erases::no));
    }
    template <class Work>
    auto read(Work work) {
        return test::run(database->read(std::move(work)));
    }
    AttachmentId insert(const KeyRing& keys, const Key& key) {
        AttachmentRow row;
        row.id = AttachmentId::random();
        row.partner = PartnerId::random();
        crypto::WrappedKey wrapped = keys.wrap(row.id, key);
        row.wrapped_key = std::move(wrapped.bytes);
        row.key_version = wrapped.version;
        EXPECT_TRUE(write([row](Session& s) { return insert_attachment(s, row); }));
        return row.id;
    }
    AttachmentRow find(AttachmentId id) {
        return **read([id](Session& s) { return find_stored_attachment(s, id); });
    }
    // What the service does for one page.
    void rewrap_page(const KeyRing& keys, std::int64_t from) {
        const auto page = *read([from](Session& s) { return slots_after(s, from, 100); });
        std::vector<NewSlot> slots;
        for (const SlotToRewrap& each : page) {
            const auto slotted = from_slot(*each.slot, each.version_of_row);
            const auto key = keys.unwrap(each.attachment, slotted->version, slotted->key);
            ASSERT_TRUE(key);
            const auto wrapped = keys.wrap(each.attachment, *key);
            slots.push_back({each.number, *each.slot, to_slot(wrapped.bytes, wrapped.version)});
        }
        const std::int64_t to = page.back().seq;
        const std::uint32_t version = keys.version();
        ASSERT_TRUE(
            write([=](Session& s) { return store_rewrapped(s, slots, version, from, to); }));
    }
    bool finish() {
        return *write([this](Session& s) { return finish_rewrap(s, now); });
    }
    std::optional<Rewrap> state() { return *read(find_rewrap); }
    std::vector<MasterKeyRow> rows() { return *read(master_keys); }
    void tamper(const char* sql) {
        database.reset();
        test::RawDatabase(file).run(sql);
    }
    std::string bytes() const {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
};

TEST_F(MasterKeysTest, a_new_database_is_under_the_newest_version) {
    open(ring({first, second}));
    ASSERT_EQ(rows().size(), 1U);
    EXPECT_EQ(rows()[0].version, 2U);
    EXPECT_EQ(rows()[0].check, crypto::check_of(second.key));
    EXPECT_FALSE(state());
}

TEST_F(MasterKeysTest, a_newer_version_comes_into_use_when_the_database_is_opened) {
    open(ring({first}));
    open(ring({first, second}));
    ASSERT_EQ(rows().size(), 2U);
    ASSERT_TRUE(state());
    EXPECT_EQ(state()->after_seq, 0);
    // The text key is under it: without the older version nothing else is missing.
    EXPECT_TRUE(finish());
    open(ring({second}));
}

TEST_F(MasterKeysTest, a_missing_version_is_named_and_nothing_is_written) {
    open(ring({first}));
    insert(ring({first}), Key::random());
    open(ring({first, second}));
    database.reset();
    const std::string before = bytes();
    for (const Access access : {Access::read_write, Access::read_only}) {
        const Error error = open_error(ring({first}), access);
        EXPECT_EQ(error.code, Errc::corrupt);
        EXPECT_NE(error.message.find("version 2"), std::string::npos) << error.message;
        EXPECT_NE(error.message.find("the test's keys"), std::string::npos);
        EXPECT_NE(open_error(ring({second}), access).message.find("version 1"), std::string::npos);
    }
    EXPECT_EQ(bytes(), before);
}

TEST_F(MasterKeysTest, another_key_of_the_same_version_is_refused_and_nothing_is_written) {
    open(ring({first}));
    insert(ring({first}), Key::random());
    open(ring({first, second}));
    database.reset();
    const std::string before = bytes();
    const MasterKey other_first{.version = 1, .key = Key::random()};
    const MasterKey other_second{.version = 2, .key = Key::random()};
    for (const auto& keys :
         {std::vector{first, other_second}, std::vector{other_first, second, third}}) {
        const Error error = open_error(ring(keys));
        EXPECT_EQ(error.code, Errc::corrupt);
        EXPECT_NE(error.message.find("another master key"), std::string::npos) << error.message;
    }
    EXPECT_EQ(bytes(), before);
}

TEST_F(MasterKeysTest, rewrapping_ends_when_nothing_is_left_and_the_old_key_is_not_needed) {
    const KeyRing both = ring({first, second});
    open(ring({first}));
    const Key key = Key::random();
    const AttachmentId id = insert(ring({first}), key);
    open(both);
    EXPECT_FALSE(finish()) << "an attachment is left";
    rewrap_page(both, 0);
    EXPECT_TRUE(finish());
    EXPECT_FALSE(state());
    EXPECT_TRUE(rows()[0].emptied_at);
    open(ring({second}));
    const AttachmentRow row = find(id);
    EXPECT_EQ(row.key_version, 2U);
    EXPECT_EQ(ring({second}).unwrap(id, 2, row.wrapped_key)->bytes, key.bytes);
}

TEST_F(MasterKeysTest, an_attachment_that_comes_late_is_not_forgotten) {
    const KeyRing both = ring({first, second});
    open(ring({first}));
    insert(ring({first}), Key::random());
    open(both);
    rewrap_page(both, 0);
    ASSERT_TRUE(finish());
    const AttachmentId late = insert(ring({first}), Key::random());
    ASSERT_TRUE(state());
    EXPECT_FALSE(rows()[0].emptied_at);
    rewrap_page(both, state()->after_seq);
    EXPECT_TRUE(finish());
    EXPECT_EQ(find(late).key_version, 2U);
}

TEST_F(MasterKeysTest, one_that_comes_in_the_middle_of_a_batch_is_not_jumped_over) {
    const KeyRing both = ring({first, second});
    open(ring({first}));
    const AttachmentId gone = insert(ring({first}), Key::random());
    open(both);
    // The only row goes, and its number is given to one that comes late.
    ASSERT_TRUE(
        write([gone](Session& s) { return s.run("DELETE FROM attachments WHERE id = $1", gone); }));
    ASSERT_TRUE(write([](Session& s) { return store_rewrapped(s, {}, 2, 0, 1); }));
    insert(ring({first}), Key::random());
    EXPECT_EQ(state()->after_seq, 0);
}

TEST_F(MasterKeysTest, a_slot_that_was_given_to_another_attachment_meanwhile_stays) {
    const KeyRing both = ring({first, second});
    open(ring({first}));
    insert(ring({first}), Key::random());
    open(both);
    const auto page = *read([](Session& s) { return slots_after(s, 0, 100); });
    const NewSlot stale{page[0].number, KeySlot{}, KeySlot{std::byte{7}}};
    ASSERT_TRUE(write([&](Session& s) { return store_rewrapped(s, {stale}, 2, 0, 1); }));
    const auto after = *read([](Session& s) { return slots_after(s, 0, 100); });
    EXPECT_EQ(after[0].slot, page[0].slot);
}

TEST_F(MasterKeysTest, a_version_is_retired_once_nothing_is_under_it_and_stays_out) {
    const KeyRing both = ring({first, second});
    open(ring({first}));
    insert(ring({first}), Key::random());
    open(both);
    const auto retire = [this](std::uint32_t version) {
        return *write([=, this](Session& s) { return retire_master_key(s, version, now); });
    };
    EXPECT_EQ(retire(1), Retirement::still_used);
    EXPECT_EQ(retire(2), Retirement::newest);
    EXPECT_EQ(retire(9), Retirement::unknown);
    rewrap_page(both, 0);
    ASSERT_TRUE(finish());
    EXPECT_EQ(retire(1), Retirement::done);
    EXPECT_EQ(retire(1), Retirement::done);
    AttachmentRow row;
    row.id = AttachmentId::random();
    row.partner = PartnerId::random();
    row.wrapped_key = Bytes(48);
    row.key_version = 1;
    EXPECT_FALSE(write([row](Session& s) { return insert_attachment(s, row); }));
    EXPECT_FALSE(state());
}

TEST_F(MasterKeysTest, counts_are_by_the_version_that_wraps) {
    const KeyRing both = ring({first, second});
    open(ring({first}));
    insert(ring({first}), Key::random());
    insert(ring({first}), Key::random());
    open(both);
    insert(both, Key::random());
    const auto counted = *read([](Session& s) { return count_versions(s, 0, 100); });
    const std::vector<std::pair<std::uint32_t, std::uint64_t>> expected{{1, 2}, {2, 1}};
    EXPECT_EQ(counted.counts, expected);
    EXPECT_EQ(read([](Session& s) { return count_versions(s, 3, 100); })->last_seq, 0);
}

// A slot of before had no version: the row's counts.
TEST_F(MasterKeysTest, a_slot_without_a_version_is_under_that_of_its_row) {
    const KeyRing both = ring({first, second});
    open(ring({first}));
    const Key key = Key::random();
    const AttachmentId id = insert(ring({first}), key);
    tamper(
        "UPDATE attachment_keys SET sealed = CAST(substr(sealed, 1, 60) || x'00000000' AS BLOB)");
    open(both);
    EXPECT_EQ(find(id).key_version, 1U);
    rewrap_page(both, 0);
    EXPECT_EQ(find(id).key_version, 2U);
    EXPECT_EQ(both.unwrap(id, 2, find(id).wrapped_key)->bytes, key.bytes);
}

// As a database was before it knew of versions.
TEST_F(MasterKeysTest, a_database_of_before_is_checked_by_its_text_key) {
    open(ring({first}));
    tamper("DELETE FROM master_keys; DELETE FROM key_rewrap");
    const std::string before = bytes();
    EXPECT_NE(open_error(ring({second})).message.find("version 1"), std::string::npos);
    EXPECT_NE(
        open_error(ring({{.version = 1, .key = Key::random()}})).message.find("another master key"),
        std::string::npos);
    EXPECT_EQ(bytes(), before);
    open(ring({first, second}));
    ASSERT_EQ(rows().size(), 2U);
    EXPECT_EQ(rows()[0].check, crypto::check_of(first.key));
    EXPECT_TRUE(state());
}

TEST_F(MasterKeysTest, secrets_of_the_database_outlive_the_master_key) {
    open(ring({first}));
    const auto secret = [this] {
        return *read([](Session& s) -> Result<Key> { return s.secret("a purpose"); });
    };
    const Key before = secret();
    open(ring({first, second}));
    EXPECT_EQ(secret().bytes, before.bytes);
    ASSERT_TRUE(finish());
    open(ring({second}));
    EXPECT_EQ(secret().bytes, before.bytes);
}

}  // namespace
}  // namespace satchel::meta
