#include "meta/sqlite_traces.hpp"

#include "meta/sqlite.hpp"
#include "meta/traces.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

namespace satchel::meta {
namespace {

using test::run;

constexpr std::size_t page_bytes = 4096;

void put_u16(std::span<std::byte> page, std::size_t at, std::size_t value) {
    page[at] = static_cast<std::byte>(value >> 8);
    page[at + 1] = static_cast<std::byte>(value);
}

// A leaf with two cells at the end, a free block between them, and traces wherever there is room.
Bytes leaf(std::size_t header_at) {
    Bytes page(page_bytes, std::byte{0xaa});
    page[header_at] = std::byte{0x0d};
    put_u16(page, header_at + 1, 4000);  // The free block.
    put_u16(page, header_at + 3, 2);
    put_u16(page, header_at + 5, 3900);
    put_u16(page, header_at + 8, 3900);
    put_u16(page, header_at + 10, 4050);
    put_u16(page, 4000, 0);
    put_u16(page, 4002, 50);
    return page;
}

TEST(Traces, only_what_is_in_use_for_nothing_is_cleared) {
    for (const std::size_t header_at : {std::size_t{0}, std::size_t{100}}) {
        Bytes page = leaf(header_at);
        const Bytes before = page;
        EXPECT_TRUE(clear_unused(page, header_at));
        for (std::size_t i = 0; i < page.size(); ++i) {
            const bool in_gap = i >= header_at + 12 && i < 3900;
            const bool in_block = i >= 4004 && i < 4050;
            if (in_gap || in_block) {
                ASSERT_EQ(page[i], std::byte{0}) << i;
            } else {
                ASSERT_EQ(page[i], before[i]) << i;
            }
        }
        EXPECT_FALSE(clear_unused(page, header_at)) << "once is enough";
    }
}

TEST(Traces, what_is_no_sound_page_of_a_tree_is_left_alone) {
    const auto stays = [](Bytes page) {
        const Bytes before = page;
        EXPECT_FALSE(clear_unused(page, 0));
        EXPECT_EQ(page, before);
    };
    Bytes page = leaf(0);
    page[0] = std::byte{0};  // An overflow page, or a free one.
    stays(page);
    page = leaf(0);
    put_u16(page, 5, 5000);  // Cells begin behind the page.
    stays(page);
    page = leaf(0);
    put_u16(page, 8, 3000);  // A cell in the gap.
    stays(page);
    page = leaf(0);
    put_u16(page, 3, 4000);  // More cells than fit.
    stays(page);
}

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct TracesTest : testing::Test {
    test::TempFolder folder;
    std::unique_ptr<Database> database = *open_sqlite({.file = folder / "meta.db"});

    static std::string handle(int i) {
        return "+1999" + std::to_string(1'000'000 + (i * 7919) % 9'000'000);
    }
    // In no order, so that pages are split again and again.
    void insert(int count) {
        auto work = [count](Session& session) -> Result<> {
            for (int i = 0; i < count; ++i) {
                CHECK(session.run("INSERT INTO opt_outs (partner, handle, at) VALUES ($1, $2, 1)",
                                  Bytes(16), handle(i)));
            }
            return {};
        };
        ASSERT_TRUE(run(database->write(work)));
    }
    void remove_all() {
        auto work = [](Session& session) {
            return session.run("DELETE FROM opt_outs WHERE at = 1");
        };
        ASSERT_TRUE(run(database->write(work, Erases::yes)));
    }
    std::size_t traces(int count) {
        const std::string bytes =
            content_of(folder / "meta.db") + content_of(folder / "meta.db-wal");
        std::size_t found = 0;
        for (int i = 0; i < count; ++i) found += bytes.find(handle(i)) != std::string::npos ? 1 : 0;
        return found;
    }
};

TEST_F(TracesTest, nothing_of_removed_rows_is_left_after_clearing) {
    constexpr int rows = 2000;
    insert(rows);
    auto remove_some = [](Session& session) {
        return session.run("DELETE FROM opt_outs WHERE substr(handle, 8, 1) <> '0'");
    };
    ASSERT_TRUE(run(database->write(remove_some, Erases::yes)));
    remove_all();
    auto clear = [](Session& session) -> Result<> {
        clear_traces(session);
        return {};
    };
    ASSERT_TRUE(run(database->write(clear, Erases::yes)));
    EXPECT_EQ(traces(rows), 0U);
    auto check = [](Session& session) -> Result<std::string> {
        TRY(auto statement, session.query("PRAGMA integrity_check"));
        TRY([[maybe_unused]] const bool row, statement->step());
        return std::string(statement->text(0));
    };
    EXPECT_EQ(*run(database->read(check)), "ok");
    insert(10);
    EXPECT_EQ(traces(10), 10U) << "the test finds what is there";
}

TEST_F(TracesTest, other_writes_go_on_meanwhile_and_keep_what_they_wrote) {
    insert(3000);
    remove_all();
    Loop loop;
    int done = 0;
    const auto count = [&done](const std::exception_ptr& error, auto result) {
        EXPECT_FALSE(error);
        EXPECT_TRUE(result);
        ++done;
    };
    auto clear = [](Session& session) -> Result<> {
        clear_traces(session);
        return {};
    };
    constexpr int writes = 50;
    asio::co_spawn(loop, database->write(clear, Erases::yes), count);
    for (int i = 0; i < writes; ++i) {
        auto work = [i](Session& session) {
            return session.run("INSERT INTO opt_outs (partner, handle, at) VALUES ($1, $2, 2)",
                               Bytes(16), "kept" + std::to_string(i));
        };
        asio::co_spawn(loop, database->write(work), count);
    }
    loop.run();
    EXPECT_EQ(done, writes + 1);
    auto kept = [](Session& session) -> Result<std::int64_t> {
        TRY(auto statement, session.query("SELECT count(*) FROM opt_outs WHERE at = 2"));
        TRY([[maybe_unused]] const bool row, statement->step());
        return statement->integer(0);
    };
    EXPECT_EQ(*run(database->read(kept)), writes);
}

}  // namespace
}  // namespace satchel::meta
