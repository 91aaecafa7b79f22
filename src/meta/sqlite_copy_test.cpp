// Copies of a database that is in use.
#include "base/log.hpp"
#include "meta/columns.hpp"
#include "meta/database_suite.hpp"
#include "meta/sqlite.hpp"
#include "meta/stored_blobs.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace satchel::meta {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct SqliteCopyTest : testing::Test {
    SqliteCopyTest() { log::set_level(log::Level::off); }
    ~SqliteCopyTest() override { log::set_level(log::Level::info); }

    test::TempFolder folder;
    const crypto::KeyRing keys = test::new_master_key();
    const fs::path copied = folder / "copy.db";
    Waiter waiter;
    std::unique_ptr<Database> database = *open_sqlite({.file = folder / "meta.db", .keys = &keys});

    // Megabytes: a copy of them takes many steps.
    void fill(std::size_t rows) {
        auto made = waiter.wait(database->write([rows](Session& session) -> Result<> {
            for (std::size_t i = 0; i < rows; ++i) {
                AttachmentRow row = pending_row();
                row.sealed_name.resize(2000);
                CHECK(insert_attachment(session, row));
            }
            return {};
        }));
        ASSERT_TRUE(made) << made.error().detail;
    }

    // Two writes at a time, each of which keeps two rows equal, until `done` has a value.
    Async<> write_until(const std::optional<Result<>>& done, std::size_t& writes) {
        while (!done) {
            const auto changed = [](Session& session) -> Result<> {
                CHECK(
                    session.run("INSERT INTO partners (id, name, created_at) "
                                "VALUES (randomblob(16), hex(randomblob(8)), 0)"));
                return session.run(
                    "INSERT INTO api_keys (hash, id, partner, hint, created_at) "
                    "SELECT randomblob(32), randomblob(16), id, '', 0 "
                    "FROM partners ORDER BY created_at LIMIT 1");
            };
            CO_CHECK(co_await database->write(changed));
            ++writes;
        }
        co_return Result<>{};
    }

    Async<> erase_until(const std::optional<Result<>>& done, std::size_t& erased) {
        while (!done) {
            AttachmentRow row = pending_row();
            CO_CHECK(co_await database->write(
                [row](Session& session) { return insert_attachment(session, row); }));
            CO_TRY([[maybe_unused]] const auto removed, co_await database->write(
                                                            [row](Session& session) {
                                                                return remove_attachment(
                                                                    session, deletion_of(row));
                                                            },
                                                            Erases::yes));
            ++erased;
        }
        co_return Result<>{};
    }
};

TEST_F(SqliteCopyTest, a_copy_is_whole_and_of_one_moment_whatever_is_written_meanwhile) {
    fill(3000);
    std::optional<Result<>> copy;
    std::optional<Result<>> writing;
    std::optional<Result<>> erasing;
    std::size_t writes = 0;
    std::size_t erased = 0;
    waiter.start(database->copy_to(copied), copy);
    waiter.start(write_until(copy, writes), writing);
    waiter.start(erase_until(copy, erased), erasing);
    waiter.run();
    ASSERT_TRUE(*copy) << copy->error().detail;
    // Neither had to wait for the copy, and no deletion ran into its time limit.
    ASSERT_TRUE(*writing) << writing->error().detail;
    ASSERT_TRUE(*erasing) << erasing->error().detail;
    EXPECT_GT(writes, 5U);
    EXPECT_GT(erased, 5U);

    const auto opened = open_sqlite({.file = copied, .keys = &keys});
    ASSERT_TRUE(opened) << opened.error().message;
    const auto look = [](Session& session) -> Result<std::string> {
        TRY(const auto problems, structure_problems(session));
        if (!problems.empty()) return problems.front();
        TRY(auto counted, session.query("SELECT (SELECT count(*) FROM partners) = "
                                        "(SELECT count(*) FROM api_keys)"));
        TRY([[maybe_unused]] const bool row, counted->step());
        if (counted->integer(0) != 1) return std::string("half of a write");
        return audit_problem_in(session);
    };
    EXPECT_EQ(waiter.wait((*opened)->read(look)).value(), "");
}

TEST_F(SqliteCopyTest, what_was_erased_before_the_copy_ended_is_not_in_it) {
    fill(2000);
    AttachmentRow row = pending_row();
    row.wrapped_key = some_bytes("a very special key of forty-eight bytes, no more");
    ASSERT_TRUE(waiter.wait(
        database->write([row](Session& session) { return insert_attachment(session, row); })));
    std::optional<Result<>> copy;
    std::optional<Result<std::optional<Removed>>> removed;
    waiter.start(database->copy_to(copied), copy);
    // Queued behind the beginning of the copy, and done before its second step.
    waiter.start(
        database->write(
            [row](Session& session) { return remove_attachment(session, deletion_of(row)); },
            Erases::yes),
        removed);
    waiter.run();
    ASSERT_TRUE(*copy && *removed);
    const std::string key(as_text(row.wrapped_key));
    EXPECT_EQ(bytes_of(copied).find(key), std::string::npos);
}

TEST_F(SqliteCopyTest, copies_wait_for_each_other) {
    fill(100);
    std::optional<Result<>> one;
    std::optional<Result<>> other;
    waiter.start(database->copy_to(copied), one);
    waiter.start(database->copy_to(folder / "other.db"), other);
    waiter.run();
    EXPECT_TRUE(*one);
    EXPECT_TRUE(*other);
    EXPECT_EQ(fs::file_size(copied), fs::file_size(folder / "other.db"));
}

TEST_F(SqliteCopyTest, a_file_that_is_there_is_left_alone) {
    std::ofstream(copied) << "mine";
    const auto result = waiter.wait(database->copy_to(copied));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::conflict);
    EXPECT_EQ(bytes_of(copied), "mine");
    EXPECT_EQ(waiter.wait(database->copy_to(folder / "no" / "such")).error().code,
              Errc::unavailable);
    EXPECT_TRUE(waiter.wait(database->copy_to(folder / "another.db")));
}

TEST_F(SqliteCopyTest, what_was_opened_to_read_makes_no_copy) {
    const auto reading = open_sqlite({.file = folder / "meta.db", .access = Access::read_only});
    ASSERT_TRUE(reading);
    EXPECT_EQ(waiter.wait((*reading)->copy_to(copied)).error().code, Errc::unavailable);
}

}  // namespace
}  // namespace satchel::meta
