// What every blob store must do, the fake that other tests use included. A test program
// includes this once and instantiates StoreSuite with its stores.
#pragma once

#include "blob/store.hpp"

#include "tests/support/blobs.hpp"
#include "tests/support/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace satchel::test {

// A new, empty store and all it needs.
class StoreUnderTest {
public:
    virtual ~StoreUnderTest() = default;
    virtual blob::Store& store() = 0;
};

struct StoreKind {
    std::string name;
    std::function<std::unique_ptr<StoreUnderTest>()> make;
};

class StoreSuite : public testing::TestWithParam<StoreKind> {
protected:
    blob::Store& store() { return under_test_->store(); }

    Result<> put(const Bytes& content) { return run(store_blob(store(), id, key, content)); }
    Result<Bytes> get(std::uint64_t size) { return run(fetch_blob(store(), id, key, size)); }
    Errc open_error(std::uint64_t size) {
        const auto reader = run(store().open(id, key, size));
        EXPECT_FALSE(reader);
        return reader ? Errc::internal : reader.error().code;
    }
    std::vector<BlobId> unconfirmed() { return run(store().unconfirmed()).value(); }
    std::vector<BlobId> listed() {
        auto listing = run(store().list()).value();
        EXPECT_THAT(listing.unknown, testing::IsEmpty());
        return listing.blobs;
    }

    const BlobId id = BlobId::random();
    const crypto::Key key = sample_key();

private:
    std::unique_ptr<StoreUnderTest> under_test_ = GetParam().make();
};

TEST_P(StoreSuite, a_committed_blob_comes_back_byte_for_byte) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{65'535}, std::size_t{65'536},
                                   std::size_t{65'537}, 256 * limits::KiB, limits::MiB + 7}) {
        const BlobId blob = BlobId::random();
        const Bytes content = sample_bytes(size);
        ASSERT_TRUE(run(store_blob(store(), blob, key, content))) << size;
        const auto found = run(fetch_blob(store(), blob, key, size));
        ASSERT_TRUE(found) << size;
        EXPECT_TRUE(*found == content) << size;
    }
}

TEST_P(StoreSuite, any_range_of_a_blob_can_be_read) {
    const Bytes content = sample_bytes(limits::MiB + 7);
    ASSERT_TRUE(put(content));
    const auto reader = run(store().open(id, key, content.size())).value();
    std::mt19937 random(20);
    const auto expect_range = [&](std::size_t offset, std::size_t length) {
        const auto found = run(read_bytes(*reader, offset, length));
        ASSERT_TRUE(found) << offset << '+' << length;
        EXPECT_TRUE(std::ranges::equal(*found, std::span(content).subspan(offset, length)))
            << offset << '+' << length;
    };
    for (int i = 0; i < 100; ++i) {
        const std::size_t offset = random() % content.size();
        expect_range(offset, 1 + random() % (content.size() - offset));
    }
    for (const std::size_t edge : {65'535u, 65'536u, 65'537u, 262'143u, 262'144u, 262'145u}) {
        expect_range(edge, 1);
        expect_range(edge - 1, 2);
        expect_range(edge, content.size() - edge);
        expect_range(0, edge);
    }
    expect_range(content.size() - 1, 1);
}

TEST_P(StoreSuite, one_read_gives_as_many_frames_as_a_batch_holds) {
    const Bytes content = sample_bytes(limits::MiB);
    ASSERT_TRUE(put(content));
    const auto reader = run(store().open(id, key, content.size())).value();
    Bytes buffer(blob::read_buffer_bytes);
    const auto aligned = run(reader->read(0, content.size(), buffer)).value();
    EXPECT_EQ(aligned.count, limits::frames_per_batch);
    EXPECT_EQ(aligned.bytes, limits::transfer_buffer_bytes);
    const auto inside = run(reader->read(1000, 10, buffer)).value();
    EXPECT_EQ(inside.count, 1u);
    EXPECT_EQ(inside.bytes, 10u);
}

TEST_P(StoreSuite, nothing_can_be_opened_before_the_commit) {
    const Bytes content = sample_bytes(1000);
    const auto writer = run(write_blob(store(), id, key, content)).value();
    EXPECT_EQ(open_error(content.size()), Errc::not_found);
    EXPECT_THAT(unconfirmed(), testing::IsEmpty());
    EXPECT_THAT(listed(), testing::IsEmpty());
    ASSERT_TRUE(run(writer->commit()));
    EXPECT_TRUE(get(content.size()).value() == content);
}

TEST_P(StoreSuite, a_writer_that_is_dropped_leaves_nothing) {
    run(write_blob(store(), id, key, sample_bytes(70'000))).value().reset();
    EXPECT_EQ(open_error(70'000), Errc::not_found);
    EXPECT_THAT(unconfirmed(), testing::IsEmpty());
    EXPECT_THAT(listed(), testing::IsEmpty());
    EXPECT_TRUE(put(sample_bytes(10))) << "the id is free again";
}

TEST_P(StoreSuite, a_writer_may_end_without_a_byte) {
    run(store().create(id, key)).value().reset();
    EXPECT_EQ(open_error(1), Errc::not_found);
    EXPECT_THAT(unconfirmed(), testing::IsEmpty());
}

TEST_P(StoreSuite, a_blob_is_unconfirmed_from_commit_to_confirm) {
    ASSERT_TRUE(put(sample_bytes(100)));
    EXPECT_THAT(unconfirmed(), testing::ElementsAre(id));
    EXPECT_THAT(listed(), testing::IsEmpty());
    ASSERT_TRUE(run(store().confirm(id)));
    EXPECT_THAT(unconfirmed(), testing::IsEmpty());
    EXPECT_THAT(listed(), testing::ElementsAre(id));
    EXPECT_TRUE(get(100).value() == sample_bytes(100));
}

TEST_P(StoreSuite, confirming_twice_is_confirming_once) {
    ASSERT_TRUE(put(sample_bytes(100)));
    EXPECT_TRUE(run(store().confirm(id)));
    EXPECT_TRUE(run(store().confirm(id)));
    EXPECT_TRUE(get(100).value() == sample_bytes(100));
}

TEST_P(StoreSuite, confirming_what_is_not_there_is_not_found) {
    const auto confirmed = run(store().confirm(id));
    ASSERT_FALSE(confirmed);
    EXPECT_EQ(confirmed.error().code, Errc::not_found);
}

TEST_P(StoreSuite, a_removed_blob_cannot_be_opened) {
    for (const bool confirmed : {false, true}) {
        ASSERT_TRUE(put(sample_bytes(100)));
        if (confirmed) ASSERT_TRUE(run(store().confirm(id)));
        ASSERT_TRUE(run(store().remove(id)));
        EXPECT_EQ(open_error(100), Errc::not_found);
        EXPECT_TRUE(run(store().sync_removals()));
        EXPECT_THAT(unconfirmed(), testing::IsEmpty());
        EXPECT_THAT(listed(), testing::IsEmpty());
    }
}

TEST_P(StoreSuite, several_are_removed_with_an_answer_for_each) {
    const BlobId kept = BlobId::random();
    const BlobId other = BlobId::random();
    for (const BlobId blob : {id, kept, other}) {
        ASSERT_TRUE(run(store_blob(store(), blob, key, sample_bytes(100))));
    }
    ASSERT_TRUE(run(store().confirm(other)));
    const auto answers = run(store().remove_each({id, BlobId::random(), other}));
    ASSERT_EQ(answers.size(), 3U);
    for (const Result<>& answer : answers) EXPECT_TRUE(answer);
    EXPECT_THAT(unconfirmed(), testing::ElementsAre(kept));
    EXPECT_THAT(listed(), testing::IsEmpty());
}

TEST_P(StoreSuite, removing_what_is_absent_succeeds) {
    EXPECT_TRUE(run(store().remove(id)));
    ASSERT_TRUE(put(sample_bytes(100)));
    EXPECT_TRUE(run(store().remove(id)));
    EXPECT_TRUE(run(store().remove(id)));
    EXPECT_TRUE(run(store().sync_removals()));
    EXPECT_TRUE(run(store().sync_removals()));
}

TEST_P(StoreSuite, an_open_reader_keeps_its_bytes_after_a_removal) {
    const Bytes content = sample_bytes(300'000);
    ASSERT_TRUE(put(content));
    ASSERT_TRUE(run(store().confirm(id)));
    const auto reader = run(store().open(id, key, content.size())).value();
    ASSERT_TRUE(run(store().remove(id)));
    ASSERT_TRUE(run(store().sync_removals()));
    EXPECT_TRUE(run(read_bytes(*reader, 0, content.size())).value() == content);
}

TEST_P(StoreSuite, an_open_reader_keeps_its_bytes_through_a_confirm) {
    const Bytes content = sample_bytes(300'000);
    ASSERT_TRUE(put(content));
    const auto reader = run(store().open(id, key, content.size())).value();
    ASSERT_TRUE(run(store().confirm(id)));
    EXPECT_TRUE(run(read_bytes(*reader, 0, content.size())).value() == content);
}

TEST_P(StoreSuite, a_missing_blob_is_not_found) {
    EXPECT_EQ(open_error(100), Errc::not_found);
}

TEST_P(StoreSuite, a_size_that_is_not_the_blobs_is_corrupt) {
    ASSERT_TRUE(put(sample_bytes(65'536)));
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{65'535},
                                     std::uint64_t{65'537}, ~std::uint64_t{0}}) {
        EXPECT_EQ(open_error(size), Errc::corrupt) << size;
    }
}

TEST_P(StoreSuite, another_key_reads_nothing) {
    ASSERT_TRUE(put(sample_bytes(100)));
    const auto found = run(fetch_blob(store(), id, sample_key(2), 100));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Errc::corrupt);
}

TEST_P(StoreSuite, blobs_do_not_disturb_each_other) {
    const BlobId other = BlobId::random();
    ASSERT_TRUE(put(sample_bytes(100)));
    ASSERT_TRUE(run(store_blob(store(), other, sample_key(2), sample_bytes(200, 2))));
    EXPECT_THAT(unconfirmed(), testing::UnorderedElementsAre(id, other));
    ASSERT_TRUE(run(store().remove(other)));
    EXPECT_TRUE(get(100).value() == sample_bytes(100));
}

TEST_P(StoreSuite, a_store_in_order_passes_its_probe) {
    EXPECT_TRUE(run(store().probe()));
    EXPECT_THAT(unconfirmed(), testing::IsEmpty());
    EXPECT_THAT(listed(), testing::IsEmpty());
}

// The life of some blobs, beside others on other threads.
inline Async<> blob_lives(blob::Store& store, unsigned seed) {
    std::mt19937 random(seed);
    for (unsigned i = 0; i < 6; ++i) {
        const BlobId blob = BlobId::random();
        const crypto::Key key = sample_key(seed * 100 + i);
        const Bytes content = sample_bytes(1 + random() % 600'000, seed * 100 + i);
        CO_CHECK(co_await store_blob(store, blob, key, content));
        CO_CHECK(co_await store.confirm(blob));
        CO_TRY(const Bytes found, co_await fetch_blob(store, blob, key, content.size()));
        if (found != content) co_return fail(Errc::corrupt, "other bytes came back");
        CO_CHECK(co_await write_blob(store, BlobId::random(), key, content));
        CO_CHECK(co_await store.unconfirmed());
        if (i % 2 == 0) {
            CO_CHECK(co_await store.remove(blob));
            CO_CHECK(co_await store.sync_removals());
        }
    }
    co_return Result<>{};
}

TEST_P(StoreSuite, writers_and_readers_on_many_loops_do_not_disturb_each_other) {
    constexpr unsigned threads_count = 4;
    std::vector<Result<>> results(threads_count);
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < threads_count; ++i) {
            threads.emplace_back([&, i] { results[i] = run(blob_lives(store(), i)); });
        }
    }
    for (const auto& result : results) {
        EXPECT_TRUE(result) << (result ? "" : result.error().detail);
    }
    EXPECT_THAT(unconfirmed(), testing::IsEmpty());
    EXPECT_EQ(listed().size(), threads_count * 3);
}

}  // namespace satchel::test
