#include "blob/file_copy.hpp"

#include "blob/file_format.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace satchel::blob {
namespace {

namespace fs = std::filesystem;
using Outcome = FileCopier::Outcome;

struct FileCopyTest : testing::Test {
    test::TempFolder folder;
    std::unique_ptr<Disk> disk = make_posix_disk();
    const FileLayout from{(folder / "from").string()};
    const FileLayout to{(folder / "to").string()};

    FileCopyTest() {
        fs::create_directories(from.incoming_folder());
        EXPECT_TRUE(disk->make_folder(to.root));
    }

    static void write(const fs::path& file, std::size_t bytes, char fill = 'x') {
        fs::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << std::string(bytes, fill);
    }
    static std::string read(const fs::path& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    BlobId add(std::uint64_t content, bool confirmed = true) {
        const BlobId id = BlobId::random();
        write(confirmed ? from.confirmed(id) : from.incoming(id), stored_size(content));
        return id;
    }
    FileCopier open() {
        FileCopier copier(*disk, from.root, to.root);
        EXPECT_TRUE(copier.open());
        return copier;
    }
};

TEST_F(FileCopyTest, copies_are_equal_and_in_their_places) {
    auto copier = open();
    std::vector<std::pair<BlobId, std::uint64_t>> all;
    for (const std::uint64_t content : {1UL, 65536UL, 3'000'000UL}) {
        all.emplace_back(add(content), content);
    }
    all.emplace_back(add(10, false), 10);
    for (const auto& [id, content] : all) {
        EXPECT_EQ(copier.copy(id, content).value(), Outcome::copied);
    }
    ASSERT_TRUE(copier.finish());
    for (const auto& [id, content] : all) {
        EXPECT_EQ(read(to.confirmed(id)), std::string(stored_size(content), 'x'));
    }
    EXPECT_TRUE(fs::is_empty(to.incoming_folder()));
}

TEST_F(FileCopyTest, what_is_in_place_is_not_copied_again) {
    const BlobId id = add(100);
    {
        auto copier = open();
        EXPECT_EQ(copier.copy(id, 100).value(), Outcome::copied);
        EXPECT_EQ(copier.copy(id, 100).value(), Outcome::was_there);
        ASSERT_TRUE(copier.finish());
    }
    auto copier = open();
    EXPECT_EQ(copier.copy(id, 100).value(), Outcome::was_there);
    EXPECT_EQ(copier.bytes_copied(), 0U);
}

TEST_F(FileCopyTest, nothing_is_in_place_before_it_is_durable) {
    const BlobId id = add(100);
    {
        auto copier = open();
        EXPECT_EQ(copier.copy(id, 100).value(), Outcome::copied);
        EXPECT_FALSE(fs::exists(to.confirmed(id)));
    }
    // As after a crash: half a file waits where it was being written.
    write(to.incoming(id), 7, 'y');
    auto copier = open();
    EXPECT_EQ(copier.copy(id, 100).value(), Outcome::copied);
    ASSERT_TRUE(copier.finish());
    EXPECT_EQ(read(to.confirmed(id)), read(from.confirmed(id)));
}

TEST_F(FileCopyTest, a_copy_of_a_wrong_length_is_replaced) {
    const BlobId id = add(100);
    write(to.confirmed(id), 5, 'y');
    auto copier = open();
    EXPECT_EQ(copier.copy(id, 100).value(), Outcome::copied);
    ASSERT_TRUE(copier.finish());
    EXPECT_EQ(read(to.confirmed(id)), read(from.confirmed(id)));
}

TEST_F(FileCopyTest, what_is_gone_or_cut_is_absent) {
    auto copier = open();
    EXPECT_EQ(copier.copy(BlobId::random(), 100).value(), Outcome::absent);
    EXPECT_EQ(copier.copy(add(100), 101).value(), Outcome::absent);
    EXPECT_EQ(copier.copy(add(100), 0).value(), Outcome::absent);
    ASSERT_TRUE(copier.finish());
}

TEST_F(FileCopyTest, many_files_are_settled_on_the_way) {
    auto copier = open();
    std::vector<BlobId> ids;
    for (std::size_t i = 0; i < 2 * limits::backup_files_per_sync + 1; ++i) ids.push_back(add(1));
    for (const BlobId id : ids) EXPECT_EQ(copier.copy(id, 1).value(), Outcome::copied);
    EXPECT_TRUE(fs::exists(to.confirmed(ids.front())));
    ASSERT_TRUE(copier.finish());
    for (const BlobId id : ids) EXPECT_TRUE(fs::exists(to.confirmed(id)));
}

}  // namespace
}  // namespace satchel::blob
