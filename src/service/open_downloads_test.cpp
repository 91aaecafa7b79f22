#include "service/open_downloads.hpp"

#include "crypto/key.hpp"
#include "model/api_errors.hpp"
#include "tests/support/blobs.hpp"
#include "tests/support/memory_blob_store.hpp"
#include "tests/support/run.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <thread>
#include <vector>

namespace satchel {
namespace {

using test::run;

struct OpenDownloadsTest : testing::Test {
    test::MemoryBlobStore blobs;
    OpenDownloads downloads;
    const crypto::Key key = crypto::Key::random();

    BlobId store(std::size_t size) {
        const BlobId blob = BlobId::random();
        EXPECT_TRUE(run(test::store_blob(blobs, blob, key, Bytes(size))));
        return blob;
    }
    std::unique_ptr<DownloadReader> open(BlobId blob, std::size_t size) {
        auto reader = std::make_unique<DownloadReader>(downloads, blob);
        reader->begin(*run(blobs.open(blob, key, size)));
        return reader;
    }
};

TEST_F(OpenDownloadsTest, a_withdrawn_blob_gives_nothing_more_to_any_of_its_readers) {
    constexpr std::size_t size = 100;
    const BlobId blob = store(size);
    const BlobId other = store(size);
    const auto first = open(blob, size);
    const auto second = open(blob, size);
    const auto unrelated = open(other, size);
    downloads.withdraw(blob);
    downloads.withdraw(blob);
    for (const auto* reader : {first.get(), second.get()}) EXPECT_TRUE(reader->withdrawn());
    const auto bytes = run(test::read_bytes(*first, 0, size));
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().reason, &reasons::attachment_not_found);
    EXPECT_FALSE(unrelated->withdrawn());
    EXPECT_TRUE(run(test::read_bytes(*unrelated, 0, size)));
    EXPECT_EQ(downloads.withdrawn(), 2U);
}

TEST_F(OpenDownloadsTest, one_that_is_announced_but_not_open_yet_is_withdrawn_too) {
    const BlobId blob = store(10);
    DownloadReader reader(downloads, blob);
    downloads.withdraw(blob);
    reader.begin(*run(blobs.open(blob, key, 10)));
    EXPECT_FALSE(run(test::read_bytes(reader, 0, 10)));
}

TEST_F(OpenDownloadsTest, a_download_that_ended_is_forgotten) {
    const BlobId blob = store(10);
    open(blob, 10).reset();
    downloads.withdraw(blob);
    EXPECT_EQ(downloads.withdrawn(), 0U);
}

TEST_F(OpenDownloadsTest, many_threads_come_and_go_while_others_withdraw) {
    constexpr int threads = 4;
    constexpr int rounds = 2000;
    const std::vector<BlobId> ids{BlobId::random(), BlobId::random()};
    std::latch begin(threads);
    std::vector<std::jthread> running;
    for (int thread = 0; thread < threads; ++thread) {
        running.emplace_back([&, thread] {
            begin.arrive_and_wait();
            for (int i = 0; i < rounds; ++i) {
                const BlobId id = ids[static_cast<std::size_t>(i) % ids.size()];
                if (thread == 0) {
                    downloads.withdraw(id);
                } else {
                    const DownloadReader reader(downloads, id);
                }
            }
        });
    }
    running.clear();
    const std::uint64_t before = downloads.withdrawn();
    for (const BlobId id : ids) downloads.withdraw(id);
    EXPECT_EQ(downloads.withdrawn(), before) << "no reader is left behind";
}

}  // namespace
}  // namespace satchel
