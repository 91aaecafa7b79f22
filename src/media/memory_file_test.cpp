#include "media/memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace satchel::media {
namespace {

TEST(MemoryFileTest, what_is_sealed_cannot_be_changed) {
    const auto file = sealed_memory_file("test", as_bytes("sealed"));
    ASSERT_TRUE(file);
    EXPECT_LT(::pwrite(file->number(), "S", 1, 0), 0);
    EXPECT_EQ(errno, EPERM);
    EXPECT_LT(::pwrite(file->number(), "!", 1, 6), 0);
    EXPECT_LT(::ftruncate(file->number(), 3), 0);
    EXPECT_EQ(::mmap(nullptr, 6, PROT_READ | PROT_WRITE, MAP_SHARED, file->number(), 0),
              MAP_FAILED);
    std::string content(6, '\0');
    EXPECT_EQ(*read_at(*file, std::as_writable_bytes(std::span(content)), 0), 6U);
    EXPECT_EQ(content, "sealed");
}

// Why a child must have ended before its output is sealed.
TEST(MemoryFileTest, who_mapped_it_before_it_was_sealed_can_still_write) {
    const auto file = make_memory_file("test");
    ASSERT_TRUE(file);
    ASSERT_TRUE(append(*file, as_bytes("before")));
    void* const mapped = ::mmap(nullptr, 6, PROT_READ | PROT_WRITE, MAP_SHARED, file->number(), 0);
    ASSERT_NE(mapped, MAP_FAILED);
    ASSERT_TRUE(seal(*file));
    std::memcpy(mapped, "behind", 6);
    ::munmap(mapped, 6);
    std::string content(6, '\0');
    EXPECT_EQ(*read_at(*file, std::as_writable_bytes(std::span(content)), 0), 6U);
    EXPECT_EQ(content, "behind");
}

// So does reclaim of memory, for moments that nobody can foresee.
TEST(MemoryFileTest, can_be_sealed_while_the_system_holds_its_pages) {
    const auto file = make_memory_file("test");
    ASSERT_TRUE(file);
    ASSERT_TRUE(append(*file, Bytes(4096)));
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const Descriptor reading(ends[0]);
    const Descriptor writing(ends[1]);
    off_t from = 0;
    ASSERT_EQ(::splice(file->number(), &from, writing.number(), nullptr, 4096, 0), 4096);
    const auto sealed = seal(*file);
    EXPECT_TRUE(sealed) << sealed.error().detail;
}

}  // namespace
}  // namespace satchel::media
