// The stored form is a promise: docs/formats/blob.md. The files in tests/data/blob_v1 were
// written by the first release and are never written again.
#include "blob/file_format.hpp"

#include "blob/file_store.hpp"
#include "tests/support/blobs.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace satchel::test {
namespace {

namespace fs = std::filesystem;

struct StoredExample {
    const char* file;
    const char* id;
    std::size_t size;
};

// Content byte i is (i * 7 + i / 251) mod 256; key byte i is i.
constexpr StoredExample stored_examples[] = {
    {"one_frame", "00112233-4455-4677-8899-aabbccddeeff", 11},
    {"two_frames", "ffeeddcc-bbaa-4988-b766-554433221100", 65'536 + 300},
};

Bytes content_of(const StoredExample& example) {
    Bytes bytes(example.size);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
    }
    return bytes;
}

crypto::Key key_of_examples() {
    crypto::Key key;
    for (std::size_t i = 0; i < key.bytes.size(); ++i) key.bytes[i] = static_cast<std::byte>(i);
    return key;
}

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct FileFormat : testing::TestWithParam<StoredExample> {
    ~FileFormat() override { pool.join(); }

    const StoredExample example = GetParam();
    const BlobId id = BlobId::parse(example.id).value();
    const fs::path stored = fs::path(SATCHEL_SOURCE_DIR) / "tests/data/blob_v1" / example.file;
    TempFolder folder;
    BlockingPool pool{1};
    std::unique_ptr<blob::Disk> disk = blob::make_posix_disk();
    std::unique_ptr<blob::Store> store = blob::FileStore::open(folder.path(), pool, *disk).value();
    const fs::path place = folder / id.str().substr(0, 2) / id.str();
};

TEST_P(FileFormat, bytes_of_the_first_release_can_be_read) {
    fs::create_directories(place.parent_path());
    fs::copy_file(stored, place);
    EXPECT_TRUE(holds(*store, id, key_of_examples(), content_of(example)));
}

TEST_P(FileFormat, bytes_are_written_as_by_the_first_release) {
    ASSERT_TRUE(run(store_blob(*store, id, key_of_examples(), content_of(example))));
    ASSERT_TRUE(run(store->confirm(id)));
    EXPECT_TRUE(read_file(place) == read_file(stored));
}

INSTANTIATE_TEST_SUITE_P(Blob,
                         FileFormat,
                         testing::ValuesIn(stored_examples),
                         [](const auto& info) { return info.param.file; });

TEST(FileFormatNumbers, the_header_is_as_documented) {
    const auto id = BlobId::parse("00112233-4455-4677-8899-aabbccddeeff").value();
    EXPECT_EQ(to_hex(blob::make_header(id)),
              "5341544348454c42"
              "01000000"
              "00000100"
              "00112233445546778899aabbccddeeff"
              "0000000000000000000000000000000000000000000000000000000000000000");
}

TEST(FileFormatNumbers, the_length_of_a_file_follows_from_its_content) {
    EXPECT_EQ(blob::stored_size(1), 64u + 1 + 16);
    EXPECT_EQ(blob::stored_size(65'536), 64u + 65'536 + 16);
    EXPECT_EQ(blob::stored_size(65'537), 64u + 65'537 + 2 * 16);
    EXPECT_EQ(blob::frame_position(0), 64u);
    EXPECT_EQ(blob::frame_position(2), 64u + 2 * 65'552);
    EXPECT_FALSE(blob::is_storable(0));
    EXPECT_TRUE(blob::is_storable(limits::attachment_bytes_max));
    EXPECT_FALSE(blob::is_storable(~std::uint64_t{0}));
}

}  // namespace
}  // namespace satchel::test
