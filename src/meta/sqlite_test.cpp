#include "meta/sqlite.hpp"

#include "meta/database_suite.hpp"
#include "meta/migrations.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/raw_database.hpp"
#include "tests/support/temp_folder.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <random>
#include <thread>
#include <unordered_set>

namespace satchel::meta {
namespace {

using test::TempFolder;

class SqliteEngine final : public Engine {
public:
    Result<std::unique_ptr<Database>> open() override {
        return open_sqlite({.file = folder_.path() / "meta.db", .keys = &keys_});
    }

private:
    TempFolder folder_;
    const crypto::KeyRing keys_ = test::new_master_key();
};

const EngineFactory sqlite_engine{"sqlite", [] { return std::make_unique<SqliteEngine>(); }};
const auto engine_name = [](const auto& info) { return info.param.name; };

INSTANTIATE_TEST_SUITE_P(Engines, DatabaseSuite, testing::Values(sqlite_engine), engine_name);
INSTANTIATE_TEST_SUITE_P(Engines, AttachmentsSuite, testing::Values(sqlite_engine), engine_name);
INSTANTIATE_TEST_SUITE_P(Engines, PartnersSuite, testing::Values(sqlite_engine), engine_name);

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::uint64_t first_bytes_of(ByteView bytes) {
    std::uint64_t first = 0;
    std::memcpy(&first, bytes.data(), sizeof first);
    return first;
}

struct SqliteTest : testing::Test {
    TempFolder folder;
    std::filesystem::path file = folder.path() / "meta.db";
    const crypto::KeyRing keys = test::new_master_key();
    Waiter waiter;

    std::unique_ptr<Database> open(Access access = Access::read_write) {
        auto database = open_sqlite({.file = file, .access = access, .keys = &keys});
        EXPECT_TRUE(database) << database.error().message;
        return database ? *std::move(database) : nullptr;
    }
    Error open_error(Access access = Access::read_write) {
        const auto database = open_sqlite({.file = file, .access = access});
        EXPECT_FALSE(database);
        return database ? Error{} : database.error();
    }
    // Runs `sql` behind the back of the code under test.
    void tamper(const char* sql) { test::RawDatabase(file).run(sql); }
    // Everything SQLite has written.
    std::string all_bytes() {
        std::string bytes;
        for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
            bytes += content_of(entry.path());
        }
        return bytes;
    }
    Result<> insert(Database& database, const AttachmentRow& row) {
        return waiter.wait(database.write([row](Session& s) { return insert_attachment(s, row); }));
    }
    Result<std::optional<Removed>> remove(Database& database, const AttachmentRow& row) {
        return waiter.wait(database.write(
            [row](Session& s) { return remove_attachment(s, deletion_of(row)); }, Erases::yes));
    }
    std::optional<AttachmentRow> find(Database& database, AttachmentId id) {
        return waiter
            .wait(database.read([id](Session& s) { return find_stored_attachment(s, id); }))
            .value();
    }
};

TEST_F(SqliteTest, only_the_owner_may_read_the_files) {
    const auto database = open();
    ASSERT_TRUE(insert(*database, pending_row()));
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        struct stat status{};
        ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0600U) << entry.path();
        ++files;
    }
    EXPECT_EQ(files, 3);
}

TEST_F(SqliteTest, closing_leaves_one_file) {
    ASSERT_TRUE(insert(*open(), pending_row()));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST_F(SqliteTest, a_removed_key_and_name_are_in_no_file_when_the_write_returns) {
    const auto database = open();
    // An idle connection of another program, one that has read.
    sqlite3* idle = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &idle), SQLITE_OK);
    AttachmentRow row = pending_row();
    row.wrapped_key = some_bytes("MARKER-OF-THE-WRAPPED-KEY");
    row.sealed_name = some_bytes("MARKER-OF-THE-SEALED-NAME");
    ASSERT_TRUE(insert(*database, row));
    ASSERT_TRUE(find(*database, row.id));
    ASSERT_EQ(sqlite3_exec(idle, "SELECT * FROM attachments", nullptr, nullptr, nullptr),
              SQLITE_OK);
    EXPECT_NE(all_bytes().find("MARKER-OF-THE-WRAPPED-KEY"), std::string::npos);
    EXPECT_NE(all_bytes().find("MARKER-OF-THE-SEALED-NAME"), std::string::npos);

    ASSERT_TRUE(remove(*database, row).value());
    EXPECT_EQ(all_bytes().find("MARKER-OF-THE"), std::string::npos);
    sqlite3_close(idle);
}

TEST_F(SqliteTest, a_name_longer_than_a_page_is_erased_whole) {
    const auto database = open();
    AttachmentRow row = pending_row();
    std::string name;
    while (name.size() < 20'000) name += "MARKER-OF-THE-SEALED-NAME ";
    row.sealed_name = some_bytes(name);
    ASSERT_TRUE(insert(*database, row));
    ASSERT_TRUE(remove(*database, row).value());
    EXPECT_EQ(all_bytes().find("MARKER"), std::string::npos);
}

// SQLite leaves copies of rows behind when it moves them to balance a tree.
TEST_F(SqliteTest, no_removed_key_survives_however_rows_are_moved) {
    const auto database = open();
    std::mt19937_64 random(1);
    std::vector<AttachmentRow> rows;
    std::unordered_set<std::uint64_t> removed;
    const auto remove_one = [&](Session& s, std::size_t at) -> Result<> {
        CHECK(remove_attachment(s, deletion_of(rows[at])));
        removed.insert(first_bytes_of(rows[at].wrapped_key));
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at));
        return {};
    };
    const auto churn = [&](Session& s) -> Result<> {
        for (int i = 0; i < 100; ++i) {
            AttachmentRow row = pending_row();
            for (auto& byte : row.wrapped_key) byte = static_cast<std::byte>(random());
            row.sealed_name.resize(20 + random() % 600);
            CHECK(insert_attachment(s, row));
            rows.push_back(row);
            std::vector<BlobId> replaced;
            const StoredUpload upload{.id = rows[random() % rows.size()].id,
                                      .state = AttachmentState::complete,
                                      .blob = BlobId::random()};
            CHECK(store_upload(s, upload, replaced));
            if (random() % 2 == 0) CHECK(remove_one(s, random() % rows.size()));
        }
        return {};
    };
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(waiter.wait(database->write(churn)));
    ASSERT_TRUE(waiter.wait(database->write(
        [&](Session& s) -> Result<> {
            while (rows.size() > 500) CHECK(remove_one(s, random() % rows.size()));
            return {};
        },
        Erases::yes)));

    std::unordered_set<std::uint64_t> live;
    for (const auto& row : rows) live.insert(first_bytes_of(row.wrapped_key));
    const std::string bytes = all_bytes();
    std::size_t survivors = 0;
    std::size_t seen = 0;
    for (std::size_t at = 0; at + 8 <= bytes.size(); ++at) {
        const std::uint64_t window = first_bytes_of(as_bytes(bytes).subspan(at));
        survivors += removed.count(window);
        seen += live.count(window);
    }
    EXPECT_GT(removed.size(), 2000U);
    EXPECT_EQ(survivors, 0U);
    EXPECT_EQ(seen, live.size());
}

TEST_F(SqliteTest, a_reader_in_the_way_delays_erasing_until_it_is_gone_and_the_caller_hears_it) {
    const auto database = open();
    AttachmentRow row = pending_row();
    row.wrapped_key = some_bytes("MARKER-OF-THE-WRAPPED-KEY");
    ASSERT_TRUE(insert(*database, row));
    sqlite3* reader = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &reader), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT * FROM attachments", nullptr, nullptr, nullptr),
              SQLITE_OK);
    const auto removed = remove(*database, row);
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code, Errc::timed_out);
    EXPECT_FALSE(find(*database, row.id));
    sqlite3_exec(reader, "COMMIT", nullptr, nullptr, nullptr);
    // Before the next write is made, what is due is done.
    ASSERT_TRUE(insert(*database, pending_row()));
    EXPECT_EQ(all_bytes().find("MARKER"), std::string::npos);
    sqlite3_close(reader);
}

TEST_F(SqliteTest, who_erases_later_returns_when_that_is_durable_and_waits_for_the_cut_apart) {
    const auto database = open();
    AttachmentRow row = pending_row();
    row.wrapped_key = some_bytes("MARKER-OF-THE-WRAPPED-KEY");
    ASSERT_TRUE(insert(*database, row));
    test::RawDatabase reader(file);
    reader.run("BEGIN; SELECT * FROM attachments");
    const auto remove_row = [row](Session& s) { return remove_attachment(s, deletion_of(row)); };
    ASSERT_TRUE(waiter.wait(database->write(remove_row, Erases::later)).value());
    const ErasureMark mark = database->erasure_mark();
    EXPECT_FALSE(find(*database, row.id));
    EXPECT_NE(all_bytes().find("MARKER"), std::string::npos);

    const auto too_early = waiter.wait(database->wait_until_gone(mark));
    ASSERT_FALSE(too_early);
    EXPECT_EQ(too_early.error().code, Errc::timed_out);
    reader.run("COMMIT");
    // Before the next write is made, what is due is done.
    ASSERT_TRUE(insert(*database, pending_row()));
    EXPECT_TRUE(waiter.wait(database->wait_until_gone(mark)));
    EXPECT_EQ(all_bytes().find("MARKER"), std::string::npos);
}

TEST_F(SqliteTest, who_erases_nothing_does_not_wait_for_the_log_to_be_cut) {
    const auto database = open();
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(*database, row));
    test::RawDatabase reader(file);
    reader.run("BEGIN; SELECT * FROM attachments");
    std::vector<std::string> order;
    const auto noted = [&order](std::string name, Async<> write) -> Async<> {
        auto result = co_await std::move(write);
        order.push_back(name + (result ? " done" : " failed"));
        co_return result;
    };
    Gate gate;
    // The writer has begun: the two others come into one batch.
    std::binary_semaphore begun{0};
    const auto hold = [&gate, &begun](Session& session) {
        begun.release();
        return gate.work()(session);
    };
    const auto await_begin = [&begun]() -> Async<> {
        begun.acquire();
        co_return Result<>{};
    };
    std::optional<Result<>> first;
    std::optional<Result<>> held;
    std::optional<Result<>> erasing;
    std::optional<Result<>> plain;
    std::optional<Result<>> opened;
    const auto remove_row = [&row](Session& session) -> Result<> {
        TRY([[maybe_unused]] const auto removed, remove_attachment(session, deletion_of(row)));
        return {};
    };
    const auto add_row = [](Session& session) { return insert_attachment(session, pending_row()); };
    waiter.start(database->write(hold), first);
    waiter.start(await_begin(), held);
    waiter.start(noted("erasing", database->write(remove_row, Erases::yes)), erasing);
    waiter.start(noted("plain", database->write(add_row)), plain);
    waiter.start(Gate::release(gate), opened);
    waiter.run();
    EXPECT_EQ(order, (std::vector<std::string>{"plain done", "erasing failed"}));
    reader.run("COMMIT");
}

TEST_F(SqliteTest, writes_that_never_pause_do_not_put_off_the_cut_for_long) {
    const auto database = open();
    AttachmentRow row = pending_row();
    row.wrapped_key = some_bytes("MARKER-OF-THE-WRAPPED-KEY");
    ASSERT_TRUE(insert(*database, row));
    // Each is in a batch of its own, and runs until the next one is queued.
    struct Link {
        std::binary_semaphore begun{0};
        std::binary_semaphore next_is_queued{0};
        std::optional<Result<>> result;
    };
    std::array<Link, 10> links;
    bool was_told = false;
    const auto run = [&](Link& link) -> Result<> {
        if (&link == &links[1]) was_told = database->has_waiting_writes();
        link.begun.release();
        link.next_is_queued.acquire();
        return {};
    };
    const auto erase = [&](Session& session) -> Result<> {
        TRY([[maybe_unused]] const auto removed, remove_attachment(session, deletion_of(row)));
        return run(links.front());
    };
    std::size_t queued = 0;
    std::optional<std::size_t> erased_at;
    const auto erasing = [&]() -> Async<> {
        CO_CHECK(co_await database->write(erase, Erases::yes));
        erased_at = queued;
        EXPECT_EQ(all_bytes().find("MARKER"), std::string::npos);
        co_return Result<>{};
    };
    const auto drive = [&]() -> Async<> {
        for (Link& link : links) {
            link.begun.acquire();
            if (&link != &links.back()) {
                Link& next = links[++queued];
                const auto work = [&run, &next](Session&) { return run(next); };
                waiter.start(database->write(work), next.result);
                co_await yield();
            }
            link.next_is_queued.release();
        }
        co_return Result<>{};
    };
    std::optional<Result<>> driven;
    waiter.start(erasing(), links.front().result);
    waiter.start(drive(), driven);
    waiter.run();
    for (const Link& link : links) EXPECT_TRUE(link.result.value());
    // The second batch is told that others wait for its end; then the log is cut.
    EXPECT_TRUE(was_told);
    EXPECT_EQ(erased_at, 3U);
}

TEST_F(SqliteTest, what_a_crash_left_in_the_log_is_erased_at_the_next_start) {
    AttachmentRow row = pending_row();
    row.wrapped_key = some_bytes("MARKER-OF-THE-WRAPPED-KEY");
    {
        const auto database = open();
        ASSERT_TRUE(insert(*database, row));
        // A copy of the files as they lie there now is what a crash leaves.
        for (const char* suffix : {"", "-wal"}) {
            std::filesystem::copy_file(file.string() + suffix, file.string() + ".crash" + suffix);
        }
    }
    std::filesystem::remove(file.string() + "-wal");
    for (const char* suffix : {"", "-wal"}) {
        std::filesystem::rename(file.string() + ".crash" + suffix, file.string() + suffix);
    }
    ASSERT_GT(std::filesystem::file_size(file.string() + "-wal"), 0U);
    const auto database = open();
    EXPECT_EQ(std::filesystem::file_size(file.string() + "-wal"), 0U);
    EXPECT_TRUE(find(*database, row.id));
}

TEST_F(SqliteTest, the_log_does_not_grow_for_ever_under_writes) {
    const auto database = open();
    for (int i = 0; i < 60; ++i) {
        ASSERT_TRUE(waiter.wait(database->write([](Session& s) -> Result<> {
            for (int k = 0; k < 100; ++k) {
                AttachmentRow row = pending_row();
                row.sealed_name.resize(3000);
                CHECK(insert_attachment(s, row));
            }
            return {};
        })));
    }
    EXPECT_GT(std::filesystem::file_size(file), 4U << 20U);
    EXPECT_LT(std::filesystem::file_size(file.string() + "-wal"), 16U << 20U);
}

TEST_F(SqliteTest, a_tool_reads_while_the_server_writes) {
    const auto server = open();
    const AttachmentRow before = pending_row();
    ASSERT_TRUE(insert(*server, before));
    const auto tool = open(Access::read_only);
    EXPECT_TRUE(find(*tool, before.id));
    const AttachmentRow after = pending_row();
    ASSERT_TRUE(insert(*server, after));
    EXPECT_TRUE(find(*tool, after.id));
    EXPECT_EQ(insert(*tool, pending_row()).error().code, Errc::unavailable);
    EXPECT_TRUE(remove(*server, after).value());
    EXPECT_FALSE(find(*tool, after.id));
}

TEST_F(SqliteTest, a_tool_reads_when_no_server_runs) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(*open(), row));
    EXPECT_TRUE(find(*open(Access::read_only), row.id));
}

TEST_F(SqliteTest, a_read_cannot_write) {
    const auto database = open();
    const auto result =
        waiter.wait(database->read([](Session& s) { return insert_attachment(s, pending_row()); }));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::unavailable);
}

TEST_F(SqliteTest, a_newer_schema_is_refused_with_a_line_for_the_operator) {
    ASSERT_NE(open(), nullptr);
    tamper("PRAGMA user_version = 999");
    for (const Access access : {Access::read_write, Access::read_only}) {
        const Error error = open_error(access);
        EXPECT_EQ(error.message,
                  "cannot use the metadata in " + file.string() +
                      ": it was written by a newer release (schema 999, this one knows up to " +
                      std::to_string(migrations.back().number) + "): use that release");
    }
}

TEST_F(SqliteTest, the_schema_of_an_older_release_is_no_good_to_a_tool) {
    ASSERT_NE(open(), nullptr);
    tamper("PRAGMA user_version = 0");
    EXPECT_NE(open_error(Access::read_only).message.find("start the server once"),
              std::string::npos);
}

TEST_F(SqliteTest, what_is_not_a_database_is_refused_and_left_alone) {
    std::string notes;
    while (notes.size() < 5000) notes += "These are notes and no database. ";
    std::ofstream(file) << notes;
    EXPECT_EQ(open_error().code, Errc::corrupt);
    EXPECT_EQ(open_error(Access::read_only).code, Errc::corrupt);
    EXPECT_NE(open_error().message.find("file is not a database"), std::string::npos);
    EXPECT_EQ(content_of(file), notes);
}

TEST_F(SqliteTest, the_database_of_another_program_is_refused_and_left_alone) {
    tamper("CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')");
    const std::string before = content_of(file);
    const Error error = open_error();
    EXPECT_EQ(error.code, Errc::corrupt);
    EXPECT_NE(error.message.find("another program"), std::string::npos);
    EXPECT_EQ(content_of(file), before);
}

TEST_F(SqliteTest, a_missing_file_or_folder_is_named) {
    EXPECT_EQ(open_error(Access::read_only).code, Errc::unavailable);
    EXPECT_FALSE(std::filesystem::exists(file));
    file = folder.path() / "absent" / "meta.db";
    const Error error = open_error();
    EXPECT_EQ(error.code, Errc::unavailable);
    EXPECT_EQ(error.message,
              "cannot use the metadata in " + file.string() + ": No such file or directory");
}

TEST_F(SqliteTest, damaged_pages_are_corrupt_not_a_crash) {
    AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(*open(), row));
    std::string bytes = content_of(file);
    std::fill(bytes.begin() + 4096, bytes.end(), 'x');
    std::ofstream(file, std::ios::binary) << bytes;
    const auto opened = open_sqlite({.file = file});
    if (!opened) return;
    const auto found =
        waiter.wait((*opened)->read([&](Session& s) { return find_stored_attachment(s, row.id); }));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Errc::corrupt);
}

TEST_F(SqliteTest, values_no_release_has_written_are_corrupt) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(*open(), row));
    for (const char* damage : {"UPDATE attachments SET state = 'lost'",
                               "UPDATE attachments SET state = 'pending', tier = 'gold'",
                               "UPDATE attachments SET tier = 'persistent', partner = x'00'",
                               "DELETE FROM attachment_keys"}) {
        tamper(damage);
        const auto database = open();
        const auto found = waiter.wait(
            database->read([&](Session& s) { return find_stored_attachment(s, row.id); }));
        ASSERT_FALSE(found) << damage;
        EXPECT_EQ(found.error().code, Errc::corrupt) << damage;
    }
}

}  // namespace
}  // namespace satchel::meta
