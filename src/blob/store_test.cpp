#include "blob/file_store.hpp"
#include "blob/store_suite.hpp"

#include "tests/support/forwarding_disk.hpp"
#include "tests/support/memory_blob_store.hpp"
#include "tests/support/temp_folder.hpp"

namespace satchel::test {
namespace {

struct MemoryStoreUnderTest final : StoreUnderTest {
    MemoryBlobStore memory;
    blob::Store& store() override { return memory; }
};

// Has every other byte sequence in memory only in part, and no name at all.
class ColdDisk final : public ForwardingDisk {
public:
    using ForwardingDisk::ForwardingDisk;
    Result<std::optional<blob::File>> open_cached(const std::string&) override {
        return std::nullopt;
    }
    Result<std::size_t> read_cached(const blob::File& file,
                                    std::span<std::byte> target,
                                    std::uint64_t offset) override {
        return ForwardingDisk::read_cached(file, target.first(target.size() / 2), offset);
    }
};

struct FileStoreUnderTest final : StoreUnderTest {
    explicit FileStoreUnderTest(bool cold) {
        disk = blob::make_posix_disk();
        cold_disk = std::make_unique<ColdDisk>(*disk);
        blob::Disk& used = cold ? static_cast<blob::Disk&>(*cold_disk) : *disk;
        file_store = blob::FileStore::open(folder / "blobs", pool, used).value();
    }
    ~FileStoreUnderTest() override { pool.join(); }
    blob::Store& store() override { return *file_store; }

    TempFolder folder;
    BlockingPool pool{3};
    std::unique_ptr<blob::Disk> disk;
    std::unique_ptr<ColdDisk> cold_disk;
    std::unique_ptr<blob::Store> file_store;
};

INSTANTIATE_TEST_SUITE_P(
    Blob,
    StoreSuite,
    testing::Values(StoreKind{"memory", [] { return std::make_unique<MemoryStoreUnderTest>(); }},
                    StoreKind{"file", [] { return std::make_unique<FileStoreUnderTest>(false); }},
                    StoreKind{"file_on_a_cold_disk",
                              [] { return std::make_unique<FileStoreUnderTest>(true); }}),
    [](const auto& info) { return info.param.name; });

TEST(MemoryBlobStore, fails_the_call_it_is_told_to_and_no_other) {
    for (int call = 0;; ++call) {
        MemoryBlobStore store;
        store.fail_at = call;
        const auto stored = run(store_blob(store, BlobId::random(), sample_key(), sample_bytes(9)));
        EXPECT_EQ(store.failed(), !stored);
        if (stored) {
            EXPECT_EQ(call, 3) << "create, append, commit";
            break;
        }
        EXPECT_EQ(stored.error().code, Errc::unavailable);
        EXPECT_TRUE(run(store.unconfirmed()).value().empty());
    }
}

}  // namespace
}  // namespace satchel::test
