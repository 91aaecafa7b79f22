#include "app/data_folder.hpp"

#include "tests/support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

namespace satchel::app {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

mode_t mode_of(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777U;
}

TEST(FolderLock, makes_a_folder_that_only_its_owner_may_enter) {
    const test::TempFolder folder;
    const auto lock = FolderLock::take(folder / "a/b");
    ASSERT_TRUE(lock) << lock.error().message;
    EXPECT_EQ(mode_of(folder / "a/b"), 0700U);
}

TEST(FolderLock, a_second_taker_is_told_who_has_it_until_the_first_lets_go) {
    const test::TempFolder folder;
    {
        const auto first = FolderLock::take(folder.path());
        ASSERT_TRUE(first);
        const auto second = FolderLock::take(folder.path());
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, Errc::conflict);
        EXPECT_THAT(second.error().message, HasSubstr("in use by another satchel"));
        EXPECT_THAT(second.error().message, HasSubstr(std::to_string(::getpid())));
    }
    EXPECT_TRUE(FolderLock::take(folder.path()));
}

TEST(FolderLock, a_place_where_no_folder_can_be_is_named) {
    const test::TempFolder folder;
    std::ofstream(folder / "file") << "x";
    const auto lock = FolderLock::take(folder / "file" / "below");
    ASSERT_FALSE(lock);
    EXPECT_THAT(lock.error().message, HasSubstr("file/below"));
}

TEST(WritePrivateFile, replaces_the_content_and_leaves_nothing_else) {
    const test::TempFolder folder;
    ASSERT_TRUE(write_private_file(folder / "env", "A=1\n"));
    ASSERT_TRUE(write_private_file(folder / "env", "B=2\n"));
    std::ifstream stream(folder / "env");
    EXPECT_EQ((std::string{std::istreambuf_iterator<char>(stream), {}}), "B=2\n");
    EXPECT_EQ(mode_of(folder / "env"), 0600U);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(WritePrivateFile, a_folder_that_is_absent_is_named) {
    const test::TempFolder folder;
    const auto written = write_private_file(folder / "absent/env", "x");
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().message, HasSubstr("absent/env"));
}

TEST(AdminFile, what_is_written_is_read_until_it_is_removed) {
    const test::TempFolder folder;
    ASSERT_TRUE(write_admin_file(folder.path(), {"http://127.0.0.1:1", "secret"}));
    EXPECT_EQ(mode_of(folder / "admin.json"), 0600U);
    const auto access = read_admin_file(folder.path());
    ASSERT_TRUE(access);
    EXPECT_EQ(access->url, "http://127.0.0.1:1");
    EXPECT_EQ(access->token, "secret");
    remove_admin_file(folder.path());
    EXPECT_EQ(read_admin_file(folder.path()).error().code, Errc::not_found);
}

TEST(AdminFile, what_no_server_wrote_is_corrupt) {
    const test::TempFolder folder;
    for (const char* content : {"", "[]", "{\"url\":1,\"token\":\"x\"}", "{\"url\":\"x\"}"}) {
        ASSERT_TRUE(write_private_file(folder / "admin.json", content));
        EXPECT_EQ(read_admin_file(folder.path()).error().code, Errc::corrupt) << content;
    }
}

}  // namespace
}  // namespace satchel::app
