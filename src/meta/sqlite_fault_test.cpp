// Walks a failure through every call of the write path that changes the disk.
#include "base/log.hpp"
#include "meta/database_suite.hpp"
#include "meta/sqlite.hpp"
#include "tests/support/faulty_vfs.hpp"
#include "tests/support/master_key.hpp"
#include "tests/support/temp_folder.hpp"

#include <fstream>
#include <iterator>

namespace satchel::meta {
namespace {

using test::FaultyVfs;

struct Walk {
    std::string name;
    FaultyVfs::Fault fault;
    FaultyVfs::Lasting lasting;
};

void PrintTo(const Walk& walk, std::ostream* out) {
    *out << walk.name;
}

class SqliteFaults : public testing::TestWithParam<Walk> {
protected:
    SqliteFaults() { log::set_level(log::Level::off); }
    ~SqliteFaults() override { log::set_level(log::Level::info); }

    struct Acknowledged {
        bool inserted = false;
        bool stored = false;
        bool removed = false;
        bool neighbour = false;
    };

    // Whether it is done and durable. An erasing write may be so and still be waiting for the
    // log to be cut: that is timed_out.
    template <class Work>
    bool acknowledged(Database& database, Work work, Erases erases = Erases::no) {
        const auto result = waiter_.wait(database.write(std::move(work), erases));
        if (!result && result.error().code == Errc::timed_out) return erases == Erases::yes;
        if (!result) {
            EXPECT_EQ(result.error().code, Errc::unavailable) << result.error().detail;
            EXPECT_FALSE(result.error().detail.empty());
        }
        return result.has_value();
    }

    Acknowledged live(Database& database) {
        Acknowledged done;
        done.inserted =
            acknowledged(database, [row = row_](Session& s) { return insert_attachment(s, row); });
        done.neighbour = acknowledged(
            database, [row = neighbour_](Session& s) { return insert_attachment(s, row); });
        if (!done.inserted) return done;
        const StoredUpload upload{.id = row_.id, .state = AttachmentState::complete, .blob = blob_};
        done.stored = acknowledged(database, [upload](Session& s) -> Result<bool> {
            std::vector<BlobId> replaced;
            TRY(const auto stored, store_upload(s, upload, replaced));
            return stored == UploadStored::yes;
        });
        done.removed = acknowledged(
            database, [row = row_](Session& s) { return remove_attachment(s, deletion_of(row)); },
            Erases::yes);
        return done;
    }

    std::optional<AttachmentRow> find(Database& database, AttachmentId id) {
        return waiter_
            .wait(database.read([id](Session& s) { return find_stored_attachment(s, id); }))
            .value();
    }

    void expect_exactly(const Acknowledged& done, Database& database) {
        const auto row = find(database, row_.id);
        EXPECT_EQ(row.has_value(), done.inserted && !done.removed);
        if (row) {
            EXPECT_EQ(row->wrapped_key, row_.wrapped_key);
            EXPECT_EQ(row->blob, done.stored ? std::optional(blob_) : std::nullopt);
            EXPECT_EQ(row->state,
                      done.stored ? AttachmentState::complete : AttachmentState::pending);
        }
        EXPECT_EQ(find(database, neighbour_.id).has_value(), done.neighbour);
        const auto audit =
            waiter_.wait(database.read([](Session& s) { return audit_after(s, 0, 10); }));
        EXPECT_EQ(audit.value().size(), done.removed ? 1U : 0U);
        const auto problem = waiter_.wait(
            database.read([](Session& s) -> Result<std::string> { return audit_problem_in(s); }));
        EXPECT_EQ(problem.value(), "");
        const auto removals =
            waiter_.wait(database.read([](Session& s) { return pending_blob_removals(s, 10); }));
        EXPECT_EQ(removals.value().size(), done.removed && done.stored ? 1U : 0U);
    }

    FaultyVfs vfs_{"faulty"};
    const crypto::KeyRing keys_ = test::new_master_key();
    Waiter waiter_;
    AttachmentRow row_ = [] {
        AttachmentRow row = pending_row();
        row.wrapped_key = some_bytes("MARKER-OF-THE-WRAPPED-KEY");
        return row;
    }();
    AttachmentRow neighbour_ = pending_row();
    BlobId blob_ = BlobId::random();
};

TEST_P(SqliteFaults, a_failing_call_is_a_clear_error_leaves_nothing_half_done_and_passes) {
    int call = 0;
    for (bool failed = true; failed && call < 1000; ++call) {
        SCOPED_TRACE("fault at call " + std::to_string(call));
        const test::TempFolder folder;
        const SqliteOptions options{
            .file = folder.path() / "meta.db", .keys = &keys_, .vfs = vfs_.name()};
        vfs_.arm(call, GetParam().fault, GetParam().lasting);
        Acknowledged done;
        {
            auto opened = open_sqlite(options);
            if (opened) {
                done = live(**opened);
            } else {
                EXPECT_EQ(opened.error().code, Errc::unavailable) << opened.error().detail;
                EXPECT_NE(opened.error().message.find(options.file), std::string::npos);
            }
            failed = vfs_.has_failed();
            vfs_.heal();
            // It goes on when the disk does.
            if (opened) {
                expect_exactly(done, **opened);
                EXPECT_TRUE(acknowledged(
                    **opened, [](Session& s) { return insert_attachment(s, pending_row()); }));
            }
        }
        auto reopened = open_sqlite(options);
        ASSERT_TRUE(reopened) << reopened.error().message;
        expect_exactly(done, **reopened);
        if (done.removed) {
            std::ifstream in(options.file, std::ios::binary);
            const std::string bytes{std::istreambuf_iterator<char>(in), {}};
            EXPECT_EQ(bytes.find("MARKER"), std::string::npos);
        }
    }
    EXPECT_GT(call, 20);  // The walk has met what it is about.
    EXPECT_LT(call, 1000);
}

INSTANTIATE_TEST_SUITE_P(
    Every,
    SqliteFaults,
    testing::Values(Walk{"one_io_error", FaultyVfs::Fault::io_error, FaultyVfs::Lasting::no},
                    Walk{"a_broken_disk", FaultyVfs::Fault::io_error, FaultyVfs::Lasting::yes},
                    Walk{"a_full_disk", FaultyVfs::Fault::disk_full, FaultyVfs::Lasting::yes},
                    Walk{"one_short_write", FaultyVfs::Fault::short_write, FaultyVfs::Lasting::no}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace satchel::meta
