// The power is cut at every call, and every state that may be left is started from.
#include "blob/file_store.hpp"

#include "tests/support/blobs.hpp"
#include "tests/support/faulty_disk.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace satchel::test {
namespace {

namespace fs = std::filesystem;

// What the metadata would hold: durable at once, and it decides.
struct Rows {
    std::map<BlobId, Bytes> blobs;
    std::set<BlobId> being_removed;
    std::map<BlobId, std::size_t> removed;  // With their sizes.
};

struct FileStorePowerLoss : testing::Test {
    ~FileStorePowerLoss() override { pool.join(); }

    const crypto::Key key = sample_key();
    BlockingPool pool{2};
    std::unique_ptr<blob::Disk> posix_disk = blob::make_posix_disk();
    UnsyncedDisk disk{*posix_disk};

    // The blob, if it was acknowledged.
    std::optional<BlobId> upload(blob::Store& store, Rows& rows, std::size_t size, bool confirm) {
        const BlobId id = BlobId::random();
        const Bytes content = sample_bytes(size, static_cast<unsigned>(size));
        if (!run(store_blob(store, id, key, content))) return std::nullopt;
        rows.blobs[id] = content;
        if (confirm) ignore(run(store.confirm(id)), "the power may be off");
        return id;
    }

    void remove(blob::Store& store, Rows& rows, std::optional<BlobId> id) {
        if (!id) return;
        const std::size_t size = rows.blobs[*id].size();
        rows.blobs.erase(*id);
        rows.being_removed.insert(*id);
        if (!run(store.remove(*id)) || !run(store.sync_removals())) return;
        rows.being_removed.erase(*id);
        rows.removed[*id] = size;
    }

    // Some of everything. Answers what was acknowledged until the power went.
    Rows work(const fs::path& root, blob::Disk& used) {
        Rows rows;
        const auto opened = blob::FileStore::open(root, pool, used);
        if (!opened) return rows;
        blob::Store& store = **opened;
        const auto confirmed = upload(store, rows, 100, true);
        const auto unconfirmed = upload(store, rows, 70'000, false);
        ignore(run(write_blob(store, BlobId::random(), key, sample_bytes(3'000))), "dropped");
        upload(store, rows, 300'000, true);
        remove(store, rows, confirmed);
        remove(store, rows, unconfirmed);
        upload(store, rows, 5'000, true);
        ignore(run(store.probe()), "the power may be off");
        return rows;
    }

    // What a start does with a store.
    void recover(blob::Store& store, const Rows& rows) {
        for (const BlobId& id : run(store.unconfirmed()).value()) {
            ASSERT_TRUE(run(rows.blobs.contains(id) ? store.confirm(id) : store.remove(id)));
        }
        for (const BlobId& id : rows.being_removed) ASSERT_TRUE(run(store.remove(id)));
        ASSERT_TRUE(run(store.sync_removals()));
    }

    void expect_recoverable(const fs::path& root, const Rows& rows) {
        const auto store = blob::FileStore::open(root, pool, disk).value();
        for (const auto& [id, content] : rows.blobs) {
            EXPECT_TRUE(holds(*store, id, key, content))
                << "an acknowledged blob of " << content.size() << " bytes is lost";
        }
        for (const auto& [id, size] : rows.removed) {
            const auto opened = run(store->open(id, key, size));
            ASSERT_FALSE(opened) << "a removed blob is back";
            EXPECT_EQ(opened.error().code, Errc::not_found) << "a part of a removed blob is back";
        }
        recover(*store, rows);
        const auto listing = run(store->list()).value();
        EXPECT_THAT(listing.unknown, testing::IsEmpty());
        EXPECT_EQ(listing.blobs.size(), rows.blobs.size()) << "a removed blob is back, or a stray";
        EXPECT_THAT(run(store->unconfirmed()).value(), testing::IsEmpty());
        for (const auto& [id, content] : rows.blobs) {
            EXPECT_TRUE(holds(*store, id, key, content));
        }
    }
};

TEST_F(FileStorePowerLoss, keeps_what_was_acknowledged_and_nothing_else) {
    using UnsyncedContent = PowerLossDisk::UnsyncedContent;
    std::size_t most_acknowledged = 0;
    for (int cut = 0;; ++cut) {
        ASSERT_LT(cut, 200) << "the walk does not end";
        const TempFolder folder;
        PowerSupply supply;
        PowerLossDisk power(disk, supply);
        supply.cut_at(cut);
        const Rows rows = work(folder / "blobs", power);
        most_acknowledged = std::max(most_acknowledged, rows.blobs.size());
        for (std::size_t names = 0; names <= power.names_at_stake(); ++names) {
            for (const auto content :
                 {UnsyncedContent::missing, UnsyncedContent::zeros, UnsyncedContent::there}) {
                SCOPED_TRACE("cut at call " + std::to_string(cut) + ", " + std::to_string(names) +
                             " names of " + std::to_string(power.names_at_stake()));
                const TempFolder left;
                power.survive(folder.path(), left.path(), names, content);
                expect_recoverable(left / "blobs", rows);
                if (HasFailure()) return;
            }
        }
        if (!supply.is_off()) break;  // No call left to cut at.
    }
    EXPECT_EQ(most_acknowledged, 2u);
}

}  // namespace
}  // namespace satchel::test
