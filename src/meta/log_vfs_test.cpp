#include "meta/log_vfs.hpp"

#include "meta/database_suite.hpp"
#include "meta/sqlite.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/temp_folder.hpp"

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>

namespace satchel::meta {
namespace {

namespace fs = std::filesystem;

// A VFS over the system's that keeps, beside each file, what of it would survive a loss of power
// if nothing did but what was synced: FILE.durable.
class DurableCopies final : public VfsOver {
public:
    DurableCopies() : VfsOver("durable-copies", "") {}

    int syncs() const { return syncs_; }

private:
    class File final : public VfsFile {
    public:
        File(const char* path, sqlite3_file* below, std::atomic<int>& syncs)
            : VfsFile(below), path_(path), syncs_(syncs) {}

        int sync(int flags) override {
            ++syncs_;
            const int code = VfsFile::sync(flags);
            fs::copy_file(path_, path_ + ".durable", fs::copy_options::overwrite_existing);
            return code;
        }

    private:
        std::string path_;
        std::atomic<int>& syncs_;
    };

    std::unique_ptr<VfsFile> wrap(const char* path, sqlite3_file* below, int /*flags*/) override {
        if (path == nullptr) return std::make_unique<VfsFile>(below);
        return std::make_unique<File>(path, below, syncs_);
    }

    std::atomic<int> syncs_ = 0;
};

struct LogVfsTest : testing::Test {
    DurableCopies copies;
    test::TempFolder folder;
    fs::path file = folder.path() / "meta.db";
    const crypto::KeyRing keys = test::new_master_key();
    Waiter waiter;

    std::unique_ptr<Database> open() {
        auto opened = open_sqlite({.file = file, .keys = &keys, .vfs = "durable-copies"});
        EXPECT_TRUE(opened) << opened.error().message;
        return opened ? *std::move(opened) : nullptr;
    }
    Result<> insert(Database& database, const AttachmentRow& row) {
        return waiter.wait(database.write([row](Session& s) { return insert_attachment(s, row); }));
    }
    bool remove(Database& database, const AttachmentRow& row) {
        const auto removed = waiter.wait(database.write(
            [row](Session& s) { return remove_attachment(s, deletion_of(row)); }, Erases::yes));
        return removed && *removed;
    }
    // What a process finds that starts after a loss of power now.
    std::vector<AttachmentId> ids_after_power_loss() {
        const test::TempFolder later;
        for (const char* end : {"", "-wal"}) {
            const fs::path durable = file.string() + end + ".durable";
            if (fs::exists(durable))
                fs::copy_file(durable, (later.path() / "meta.db").string() + end);
        }
        const auto opened = open_sqlite({.file = later.path() / "meta.db", .keys = &keys});
        EXPECT_TRUE(opened) << opened.error().message;
        std::vector<AttachmentId> ids;
        if (!opened) return ids;
        const auto rows = waiter.wait(
            (*opened)->read([](Session& s) { return attachments_after(s, AttachmentId{}, 1000); }));
        EXPECT_TRUE(rows);
        for (const AttachmentRow& row : *rows) ids.push_back(row.id);
        const auto problem = waiter.wait(
            (*opened)->read([](Session& s) -> Result<std::string> { return audit_problem_in(s); }));
        EXPECT_EQ(problem.value(), "");
        return ids;
    }
};

TEST_F(LogVfsTest, what_was_acknowledged_survives_a_loss_of_power_after_any_write) {
    const auto database = open();
    ASSERT_TRUE(database);
    std::vector<AttachmentRow> rows;
    for (int step = 0; step < 60; ++step) {
        // Cuts of the log, single and in a row, and writes between them.
        if (step % 5 == 3 || step % 7 == 6) {
            ASSERT_TRUE(remove(*database, rows.front()));
            rows.erase(rows.begin());
        } else {
            ASSERT_TRUE(insert(*database, rows.emplace_back(pending_row())));
        }
        std::vector<AttachmentId> expected;
        for (const AttachmentRow& row : rows) expected.push_back(row.id);
        std::ranges::sort(expected);
        EXPECT_EQ(ids_after_power_loss(), expected) << "step " << step;
    }
}

TEST_F(LogVfsTest, a_delete_syncs_the_log_the_database_and_the_cut) {
    const auto database = open();
    ASSERT_TRUE(database);
    std::vector<AttachmentRow> rows(10);
    for (AttachmentRow& row : rows) {
        row = pending_row();
        ASSERT_TRUE(insert(*database, row));
    }
    ASSERT_TRUE(remove(*database, rows[0]));
    const int before = copies.syncs();
    for (std::size_t i = 1; i < rows.size(); ++i) ASSERT_TRUE(remove(*database, rows[i]));
    EXPECT_EQ(copies.syncs() - before, 3 * 9);
}

}  // namespace
}  // namespace satchel::meta
