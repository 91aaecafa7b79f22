#include "blob/file_store.hpp"

#include "blob/file_format.hpp"
#include "tests/support/blobs.hpp"
#include "tests/support/forwarding_disk.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <map>

namespace satchel::test {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, std::string_view bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary).write(bytes.data(), std::ssize(bytes));
}

struct FileStoreTest : testing::Test {
    ~FileStoreTest() override { pool.join(); }

    // Stores and confirms; answers the file.
    fs::path put(const Bytes& content) {
        EXPECT_TRUE(run(store_blob(*store, id, key, content)));
        EXPECT_TRUE(run(store->confirm(id)));
        return stored_file(id);
    }
    fs::path stored_file(const BlobId& blob) const {
        return root / blob.str().substr(0, 2) / blob.str();
    }
    Result<Bytes> get(std::uint64_t size) { return run(fetch_blob(*store, id, key, size)); }
    void expect_corrupt(std::uint64_t size, const std::string& what) {
        const auto found = get(size);
        ASSERT_FALSE(found) << what;
        EXPECT_EQ(found.error().code, Errc::corrupt) << what;
    }

    const BlobId id = BlobId::random();
    const crypto::Key key = sample_key();
    TempFolder folder;
    const fs::path root = folder / "blobs";
    BlockingPool pool{2};
    std::unique_ptr<blob::Disk> disk = blob::make_posix_disk();
    std::unique_ptr<blob::Store> store = blob::FileStore::open(root, pool, *disk).value();
};

TEST_F(FileStoreTest, a_flipped_bit_in_any_byte_is_detected) {
    const Bytes content = sample_bytes(70 * limits::KiB);
    const fs::path path = put(content);
    const std::string whole = read_file(path);
    ASSERT_EQ(whole.size(), blob::stored_size(content.size()));

    const auto in_tag = [&](std::size_t at) {
        return at >= whole.size() - 16 ||
               (at >= blob::frame_position(1) - 16 && at < blob::frame_position(1));
    };
    std::mt19937 random(3);
    for (std::size_t at = 0; at < whole.size(); ++at) {
        const bool every_byte = at < blob::header_bytes || in_tag(at);
        if (!every_byte && at % 61 != 0) continue;
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        const auto flipped = static_cast<char>(whole[at] ^ (1 << random() % 8));
        file.seekp(static_cast<std::streamoff>(at)).put(flipped).flush();
        expect_corrupt(content.size(), "byte " + std::to_string(at));
        file.seekp(static_cast<std::streamoff>(at)).put(whole[at]).flush();
    }
    EXPECT_TRUE(get(content.size()).value() == content);
}

TEST_F(FileStoreTest, a_damaged_frame_does_not_spoil_the_others) {
    const Bytes content = sample_bytes(6 * limits::frame_bytes);
    const fs::path path = put(content);
    std::string bytes = read_file(path);
    bytes[blob::frame_position(2) + 5] ^= 1;
    write_file(path, bytes);
    const auto reader = run(store->open(id, key, content.size())).value();
    for (std::size_t frame = 0; frame < 6; ++frame) {
        const auto found =
            run(read_bytes(*reader, frame * limits::frame_bytes, limits::frame_bytes));
        EXPECT_EQ(found.has_value(), frame != 2) << frame;
    }
}

TEST_F(FileStoreTest, a_file_of_another_length_is_corrupt) {
    const std::uint64_t size = 2 * limits::frame_bytes;
    const fs::path path = put(sample_bytes(size));
    const std::string whole = read_file(path);
    for (const std::size_t length :
         {std::size_t{0}, std::size_t{63}, std::size_t{64}, std::size_t{65},
          std::size_t{blob::frame_position(1)}, whole.size() - 16, whole.size() - 1}) {
        write_file(path, whole.substr(0, length));
        expect_corrupt(size, "cut to " + std::to_string(length));
    }
    write_file(path, whole + '\0');
    expect_corrupt(size, "extended");
    write_file(path, whole + whole.substr(blob::header_bytes));
    expect_corrupt(size, "doubled");
}

TEST_F(FileStoreTest, a_cut_or_continuation_at_a_frame_border_is_detected_by_the_frames) {
    const fs::path path = put(sample_bytes(2 * limits::frame_bytes));
    const std::string whole = read_file(path);
    write_file(path, whole.substr(0, blob::frame_position(1)));
    expect_corrupt(limits::frame_bytes, "cut, with a size that fits");
    write_file(path, whole + whole.substr(blob::frame_position(1)));
    expect_corrupt(3 * limits::frame_bytes, "continued, with a size that fits");
}

TEST_F(FileStoreTest, a_file_cut_while_it_is_open_is_corrupt) {
    const Bytes content = sample_bytes(limits::MiB);
    const fs::path path = put(content);
    const auto reader = run(store->open(id, key, content.size())).value();
    fs::resize_file(path, 700'000);
    EXPECT_TRUE(run(read_bytes(*reader, 0, 600'000)));
    const auto found = run(read_bytes(*reader, 600'000, 300'000));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Errc::corrupt);
}

TEST_F(FileStoreTest, swapped_frames_are_corrupt) {
    const std::uint64_t size = 3 * limits::frame_bytes;
    const fs::path path = put(sample_bytes(size));
    std::string bytes = read_file(path);
    const auto frame = [&](std::uint64_t i) {
        return bytes.begin() + static_cast<std::ptrdiff_t>(blob::frame_position(i));
    };
    std::swap_ranges(frame(0), frame(1), frame(1));
    write_file(path, bytes);
    expect_corrupt(size, "frames 0 and 1 swapped");
}

TEST_F(FileStoreTest, the_file_of_another_blob_is_corrupt) {
    const Bytes content = sample_bytes(100);
    const BlobId other = BlobId::random();
    ASSERT_TRUE(run(store_blob(*store, other, key, content)));
    ASSERT_TRUE(run(store->confirm(other)));
    const fs::path path = put(content);
    fs::copy_file(stored_file(other), path, fs::copy_options::overwrite_existing);
    expect_corrupt(100, "another blob's file, sealed with the same key");
}

TEST_F(FileStoreTest, neither_content_nor_key_is_in_any_file) {
    const std::string marker = "a sentence that nobody but its reader may see";
    Bytes content(200'000);
    for (std::size_t at = 0; at + marker.size() < content.size(); at += 1000) {
        std::ranges::copy(as_bytes(marker), content.begin() + static_cast<std::ptrdiff_t>(at));
    }
    put(content);
    int files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        if (!entry.is_regular_file()) continue;
        ++files;
        const std::string bytes = read_file(entry.path());
        EXPECT_EQ(bytes.find(marker), std::string::npos);
        EXPECT_EQ(bytes.find(as_text(key.bytes)), std::string::npos);
    }
    EXPECT_EQ(files, 1);
}

TEST_F(FileStoreTest, the_blob_key_and_content_decide_every_stored_byte) {
    const fs::path path = put(sample_bytes(100));
    const std::string first = read_file(path);
    ASSERT_TRUE(run(store->remove(id)));
    put(sample_bytes(100));
    EXPECT_EQ(read_file(path), first);
}

TEST_F(FileStoreTest, only_the_owner_may_look_at_files_and_folders) {
    put(sample_bytes(100));
    ASSERT_TRUE(run(store_blob(*store, BlobId::random(), key, sample_bytes(100))));
    const auto mode = [](const fs::path& path) {
        struct stat status{};
        EXPECT_EQ(::stat(path.c_str(), &status), 0);
        return status.st_mode & 07777;
    };
    EXPECT_EQ(mode(root), 0700u);
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        EXPECT_EQ(mode(entry.path()), entry.is_directory() ? 0700u : 0600u) << entry.path();
    }
}

TEST_F(FileStoreTest, blobs_outlive_the_store_that_wrote_them) {
    const BlobId other = BlobId::random();
    put(sample_bytes(100));
    ASSERT_TRUE(run(store_blob(*store, other, key, sample_bytes(200))));
    store = blob::FileStore::open(root, pool, *disk).value();
    EXPECT_TRUE(get(100).value() == sample_bytes(100));
    EXPECT_TRUE(run(fetch_blob(*store, other, key, 200)).value() == sample_bytes(200));
    EXPECT_THAT(run(store->unconfirmed()).value(), testing::ElementsAre(other));
}

TEST_F(FileStoreTest, what_a_crash_left_of_a_blob_is_unconfirmed) {
    const fs::path left = root / "incoming" / id.str();
    write_file(left, "half a blob");
    store = blob::FileStore::open(root, pool, *disk).value();
    EXPECT_THAT(run(store->unconfirmed()).value(), testing::ElementsAre(id));
    ASSERT_TRUE(run(store->remove(id)));
    EXPECT_FALSE(fs::exists(left));
}

TEST_F(FileStoreTest, an_id_that_is_stored_already_is_a_conflict_and_stays) {
    ASSERT_TRUE(run(store_blob(*store, id, key, sample_bytes(100))));
    const auto again = run(store_blob(*store, id, key, sample_bytes(200)));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::conflict);
    EXPECT_TRUE(get(100).value() == sample_bytes(100));
    EXPECT_THAT(run(store->unconfirmed()).value(), testing::ElementsAre(id));
}

TEST_F(FileStoreTest, one_id_has_one_writer) {
    const auto writer = run(store->create(id, key)).value();
    const auto second = run(store->create(id, key));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
}

TEST_F(FileStoreTest, strange_things_are_listed_and_never_taken_for_blobs) {
    put(sample_bytes(100));
    const std::string shard = id.str().substr(0, 2);
    const std::string elsewhere = shard == "00" ? "01" : "00";
    const std::string name = BlobId::random().str();
    write_file(root / "notes.txt", "x");
    write_file(root / "incoming" / "core", "x");
    write_file(root / "Ab" / name, "x");
    write_file(root / shard / "x", "x");
    write_file(root / elsewhere / id.str(), "x");
    fs::create_directories(root / shard / (shard + name.substr(2)));
    const auto listing = run(store->list()).value();
    EXPECT_THAT(listing.blobs, testing::ElementsAre(id));
    EXPECT_THAT(listing.unknown,
                testing::UnorderedElementsAre("notes.txt", "incoming/core", "Ab", shard + "/x",
                                              elsewhere + '/' + id.str(),
                                              shard + '/' + shard + name.substr(2)));
    EXPECT_THAT(run(store->unconfirmed()).value(), testing::IsEmpty());
}

TEST_F(FileStoreTest, a_folder_that_cannot_be_made_is_an_error) {
    write_file(folder / "file", "x");
    for (const fs::path& bad : {folder / "file", folder / "absent" / "blobs"}) {
        EXPECT_FALSE(blob::FileStore::open(bad, pool, *disk)) << bad;
    }
}

TEST_F(FileStoreTest, a_store_whose_folder_has_gone_fails_its_probe) {
    fs::remove_all(root);
    EXPECT_FALSE(run(store->probe()));
}

// Everything is in its memory; counts the calls that would wait for a disk.
class WarmDisk final : public ForwardingDisk {
public:
    using ForwardingDisk::ForwardingDisk;
    std::atomic<int> waits{0};

    Result<blob::File> open(const std::string& path) override {
        ++waits;
        return ForwardingDisk::open(path);
    }
    Result<std::optional<blob::File>> open_cached(const std::string& path) override {
        TRY(auto file, ForwardingDisk::open(path));
        return file;
    }
    Result<std::size_t> read(const blob::File& file,
                             std::span<std::byte> target,
                             std::uint64_t offset) override {
        ++waits;
        return ForwardingDisk::read(file, target, offset);
    }
    Result<std::size_t> read_cached(const blob::File& file,
                                    std::span<std::byte> target,
                                    std::uint64_t offset) override {
        return ForwardingDisk::read(file, target, offset);
    }
};

TEST_F(FileStoreTest, what_is_in_memory_is_read_without_waiting_for_the_disk) {
    const Bytes content = sample_bytes(limits::MiB + 7);
    put(content);
    WarmDisk warm(*disk);
    const auto warm_store = blob::FileStore::open(root, pool, warm).value();
    EXPECT_TRUE(run(fetch_blob(*warm_store, id, key, content.size())).value() == content);
    EXPECT_EQ(warm.waits, 0);
}

// Counts the writes of each batch: header, frames and tags go in one call.
class CountingDisk final : public ForwardingDisk {
public:
    using ForwardingDisk::ForwardingDisk;
    std::atomic<int> writes{0};
    std::atomic<std::uint64_t> written_back{0};

    Result<std::size_t> write(const blob::File& file,
                              std::span<const iovec> pieces,
                              std::uint64_t offset) override {
        ++writes;
        return ForwardingDisk::write(file, pieces, offset);
    }
    Result<> start_writeback(const blob::File& file,
                             std::uint64_t offset,
                             std::uint64_t length) override {
        written_back += length;
        return ForwardingDisk::start_writeback(file, offset, length);
    }
};

TEST_F(FileStoreTest, a_long_upload_is_written_back_while_it_arrives) {
    CountingDisk counting(*disk);
    const auto counted = blob::FileStore::open(root, pool, counting).value();
    const std::size_t size = 20 * limits::MiB;
    ASSERT_TRUE(run(store_blob(*counted, id, key, Bytes(size))));
    EXPECT_EQ(counting.writes, static_cast<int>(size / limits::transfer_buffer_bytes));
    EXPECT_GE(counting.written_back, 16 * limits::MiB);
    EXPECT_LE(counting.written_back, blob::stored_size(size)) << "no byte twice";
}

}  // namespace
}  // namespace satchel::test
