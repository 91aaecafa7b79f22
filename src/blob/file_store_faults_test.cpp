// Whatever call of the disk fails: an error, nothing half done, and the store goes on.
#include "blob/file_store.hpp"

#include "tests/support/blobs.hpp"
#include "tests/support/faulty_disk.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

namespace satchel::test {
namespace {

using Fault = FaultyDisk::Fault;

constexpr std::optional<Errc> no_error;

template <class T>
std::optional<Errc> code_of(const Result<T>& result) {
    return result ? no_error : std::optional(result.error().code);
}

constexpr Fault all_faults[] = {Fault::disk_full,  Fault::io_error,     Fault::short_write,
                                Fault::sync_error, Fault::rename_error, Fault::unlink_error};

struct FileStoreFaults : testing::Test {
    ~FileStoreFaults() override { pool.join(); }

    std::size_t files() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
            if (entry.is_regular_file()) ++count;
        }
        return count;
    }

    const crypto::Key key = sample_key();
    TempFolder folder;
    const std::filesystem::path root = folder / "blobs";
    BlockingPool pool{2};
    std::unique_ptr<blob::Disk> disk = blob::make_posix_disk();
    FaultyDisk faulty{*disk};
    std::unique_ptr<blob::Store> store = blob::FileStore::open(root, pool, faulty).value();
};

// Calls `attempt(fault, call)` with every fault at every call, until it answers that there was
// no such call.
template <class Attempt>
void walk(Attempt attempt) {
    for (const Fault fault : all_faults) {
        for (int call = 0;; ++call) {
            SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at call " +
                         std::to_string(call));
            if (!attempt(fault, call)) break;
            ASSERT_LT(call, 100) << "the walk does not end";
            if (testing::Test::HasFatalFailure()) return;
        }
    }
}

TEST_F(FileStoreFaults, a_fault_while_storing_is_an_error_and_leaves_nothing) {
    const Bytes content = sample_bytes(600'000);
    walk([&](Fault fault, int call) {
        const BlobId id = BlobId::random();
        faulty.arm(fault, call);
        const auto stored = run(store_blob(*store, id, key, content));
        const bool struck = faulty.disarm();
        if (struck && fault != Fault::short_write) {
            EXPECT_EQ(code_of(stored), Errc::unavailable);
            EXPECT_EQ(code_of(run(store->open(id, key, content.size()))), Errc::not_found);
            EXPECT_THAT(run(store->unconfirmed()).value(), testing::IsEmpty());
            EXPECT_EQ(files(), 0u);
            EXPECT_TRUE(run(store_blob(*store, id, key, content))) << "the store goes on";
        }
        EXPECT_TRUE(holds(*store, id, key, content));
        EXPECT_TRUE(run(store->remove(id)));
        return struck;
    });
}

TEST_F(FileStoreFaults, a_fault_while_writing_back_is_an_error_and_leaves_nothing) {
    // create, then 32 writes of 256 KiB, then the write-back.
    faulty.arm(Fault::io_error, 33);
    const auto stored = run(store_blob(*store, BlobId::random(), key, Bytes(9 * limits::MiB)));
    EXPECT_TRUE(faulty.disarm());
    EXPECT_EQ(code_of(stored), Errc::unavailable);
    EXPECT_EQ(files(), 0u);
}

TEST_F(FileStoreFaults, a_writer_that_failed_is_of_no_more_use) {
    const BlobId id = BlobId::random();
    const auto writer = run(store->create(id, key)).value();
    Bytes content = sample_bytes(limits::frame_bytes);
    faulty.arm(Fault::disk_full, 1);
    EXPECT_FALSE(run(writer->append(content, blob::Last::no)));
    EXPECT_FALSE(run(writer->append(content, blob::Last::yes)));
    EXPECT_FALSE(run(writer->commit()));
    EXPECT_EQ(code_of(run(store->open(id, key, limits::frame_bytes))), Errc::not_found);
}

TEST_F(FileStoreFaults, what_cannot_be_unlinked_stays_hidden_until_the_next_start) {
    const BlobId id = BlobId::random();
    auto writer = run(write_blob(*store, id, key, sample_bytes(100))).value();
    faulty.arm(Fault::unlink_error, 0);
    writer.reset();
    EXPECT_TRUE(faulty.disarm());
    EXPECT_EQ(code_of(run(store->open(id, key, 100))), Errc::not_found);
    EXPECT_THAT(run(store->unconfirmed()).value(), testing::IsEmpty());
    store = blob::FileStore::open(root, pool, faulty).value();
    EXPECT_THAT(run(store->unconfirmed()).value(), testing::ElementsAre(id));
}

TEST_F(FileStoreFaults, a_fault_while_confirming_keeps_the_blob_and_the_next_try_succeeds) {
    walk([&](Fault fault, int call) {
        const BlobId id = BlobId::random();
        EXPECT_TRUE(run(store_blob(*store, id, key, sample_bytes(100))));
        std::filesystem::remove_all(root / id.str().substr(0, 2));
        faulty.arm(fault, call);
        const auto confirmed = run(store->confirm(id));
        const bool struck = faulty.disarm();
        EXPECT_EQ(code_of(confirmed), struck ? Errc::unavailable : no_error);
        EXPECT_TRUE(holds(*store, id, key, sample_bytes(100)));
        EXPECT_TRUE(run(store->confirm(id)));
        EXPECT_TRUE(holds(*store, id, key, sample_bytes(100)));
        EXPECT_TRUE(run(store->remove(id)));
        return struck;
    });
}

TEST_F(FileStoreFaults, a_fault_while_removing_is_an_error_and_the_next_try_succeeds) {
    walk([&](Fault fault, int call) {
        const BlobId id = BlobId::random();
        EXPECT_TRUE(run(store_blob(*store, id, key, sample_bytes(100))));
        EXPECT_TRUE(run(store->confirm(id)));
        faulty.arm(fault, call);
        const auto removed = run(store->remove(id));
        const auto synced = run(store->sync_removals());
        const bool struck = faulty.disarm();
        EXPECT_EQ(removed && synced, !struck);
        EXPECT_TRUE(run(store->remove(id)));
        EXPECT_TRUE(run(store->sync_removals()));
        EXPECT_EQ(code_of(run(store->open(id, key, 100))), Errc::not_found);
        EXPECT_EQ(files(), 0u);
        return struck;
    });
}

TEST_F(FileStoreFaults, a_failed_sync_of_removals_is_made_up_for_by_the_next) {
    EXPECT_TRUE(run(store->sync_removals()));
    EXPECT_TRUE(run(store->remove(BlobId::random())));
    faulty.arm(Fault::sync_error, 0);
    EXPECT_EQ(code_of(run(store->sync_removals())), Errc::unavailable);
    EXPECT_TRUE(faulty.disarm());
    faulty.arm(Fault::sync_error, 0);
    EXPECT_EQ(code_of(run(store->sync_removals())), Errc::unavailable) << "it was tried again";
    EXPECT_TRUE(faulty.disarm());
}

TEST_F(FileStoreFaults, a_fault_fails_the_probe) {
    walk([&](Fault fault, int call) {
        faulty.arm(fault, call);
        const auto probed = run(store->probe());
        const bool struck = faulty.disarm();
        EXPECT_EQ(code_of(probed), struck ? Errc::unavailable : no_error);
        EXPECT_THAT(run(store->unconfirmed()).value(), testing::IsEmpty());
        return struck;
    });
}

TEST_F(FileStoreFaults, a_fault_at_the_start_is_an_error_and_the_next_start_succeeds) {
    walk([&](Fault fault, int call) {
        const TempFolder fresh;
        faulty.arm(fault, call);
        const auto opened = blob::FileStore::open(fresh / "blobs", pool, faulty);
        const bool struck = faulty.disarm();
        EXPECT_EQ(code_of(opened), struck ? Errc::unavailable : no_error);
        EXPECT_TRUE(blob::FileStore::open(fresh / "blobs", pool, faulty));
        return struck;
    });
}

}  // namespace
}  // namespace satchel::test
