#include "crypto/key_file.hpp"

#include "base/limits.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace satchel::crypto {
namespace {

namespace fs = std::filesystem;

struct KeyFileTest : testing::Test {
    test::TempFolder folder;
    fs::path path = folder / "master.key";
    KeyFile file{path};

    static std::string content_of(const fs::path& from) {
        std::ifstream in(from, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static mode_t mode_of(const fs::path& of) {
        struct stat status{};
        EXPECT_EQ(::stat(of.c_str(), &status), 0);
        return status.st_mode & 07777U;
    }
    std::size_t files_in_folder() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
    }
    static MasterKey key(std::uint32_t version) {
        return {.version = version, .key = Key::random()};
    }
};

TEST_F(KeyFileTest, an_added_version_is_the_newest_and_the_others_and_comments_stay) {
    ASSERT_TRUE(file.create());
    const std::string before = content_of(path);
    const MasterKey second = key(2);
    ASSERT_TRUE(file.add(second));
    const auto ring = file.read();
    ASSERT_TRUE(ring);
    EXPECT_EQ(ring->version(), 2U);
    EXPECT_EQ(ring->versions().size(), 2U);
    EXPECT_EQ(ring->check(2), check_of(second.key));
    EXPECT_TRUE(content_of(path).starts_with(before));
    EXPECT_EQ(mode_of(path), 0600U);
    EXPECT_EQ(files_in_folder(), 1U);
}

TEST_F(KeyFileTest, a_missing_last_newline_does_not_join_two_lines) {
    ASSERT_TRUE(file.create());
    std::string text = content_of(path);
    text.pop_back();
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    ASSERT_TRUE(file.add(key(2)));
    EXPECT_EQ(file.read()->versions().size(), 2U);
}

TEST_F(KeyFileTest, a_removed_version_takes_its_line_alone_with_it) {
    ASSERT_TRUE(file.create());
    ASSERT_TRUE(file.add(key(2)));
    ASSERT_TRUE(file.add(key(5)));
    ASSERT_TRUE(file.remove(2));
    const auto ring = file.read();
    ASSERT_TRUE(ring);
    EXPECT_TRUE(ring->check(1));
    EXPECT_FALSE(ring->check(2));
    EXPECT_TRUE(ring->check(5));
    EXPECT_TRUE(content_of(path).starts_with("# Satchel master key."));
    EXPECT_TRUE(file.remove(2)) << "gone already";
}

TEST_F(KeyFileTest, a_link_to_the_file_stays_a_link) {
    fs::create_directory(folder / "far");
    ASSERT_TRUE(KeyFile(folder / "far" / "real.key").create());
    fs::create_symlink("far/real.key", path);
    ASSERT_TRUE(file.add(key(2)));
    EXPECT_TRUE(fs::is_symlink(path));
    EXPECT_EQ(KeyFile(folder / "far" / "real.key").read()->version(), 2U);
}

TEST_F(KeyFileTest, what_does_not_ascend_or_is_too_much_leaves_the_file_as_it_was) {
    ASSERT_TRUE(file.create());
    for (std::uint32_t version = 2; version <= limits::master_key_versions_max; ++version) {
        ASSERT_TRUE(file.add(key(version)));
    }
    const std::string before = content_of(path);
    EXPECT_EQ(file.add(key(limits::master_key_versions_max + 1)).error().code, Errc::corrupt);
    EXPECT_EQ(file.add(key(1)).error().code, Errc::corrupt);
    EXPECT_EQ(content_of(path), before);
    EXPECT_EQ(files_in_folder(), 1U);
}

TEST_F(KeyFileTest, a_missing_file_is_not_made_by_adding) {
    const auto added = file.add(key(2));
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, Errc::not_found);
    EXPECT_EQ(files_in_folder(), 0U);
}

TEST_F(KeyFileTest, a_file_that_others_may_read_is_not_changed) {
    ASSERT_TRUE(file.create());
    ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
    EXPECT_EQ(file.add(key(2)).error().code, Errc::permission_denied);
    EXPECT_EQ(mode_of(path), 0644U);
}

}  // namespace
}  // namespace satchel::crypto
