// What detection costs at most, and what it does when content cannot be read.
#include "base/limits.hpp"
#include "media/detect.hpp"
#include "tests/support/media_samples.hpp"
#include "tests/support/project_file.hpp"
#include "tests/support/run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace satchel::media {
namespace {

using namespace std::string_literals;

// Counts what is read, holds the reader to its promises, and can fail.
class WatchedContent final : public Content {
public:
    explicit WatchedContent(std::string bytes) : bytes_(std::move(bytes)) {}

    std::uint64_t size() const override { return bytes_.size(); }
    Async<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override {
        EXPECT_LE(offset + into.size(), bytes_.size());
        EXPECT_FALSE(into.empty());
        if (reads == fail_at) {
            failed = true;
            co_return fail(Errc::corrupt, "as the test wants");
        }
        ++reads;
        bytes_read += into.size();
        BytesContent content(as_bytes(bytes_));
        co_return co_await content.read_at(offset, into);
    }

    std::size_t reads = 0;
    std::size_t bytes_read = 0;
    std::size_t fail_at = SIZE_MAX;
    bool failed = false;

private:
    std::string bytes_;
};

std::string sample(std::string_view file) {
    return test::read_project_file("tests/data/media/" + std::string(file));
}

std::string repeat(std::string_view piece, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += piece;
    return out;
}

void expect_within_limits(WatchedContent& content) {
    EXPECT_TRUE(test::run(detect(content)).has_value());
    EXPECT_LE(content.reads, limits::detect_reads_max + 1);
    EXPECT_LE(content.bytes_read, limits::detect_bytes_max + limits::detect_head_bytes);
}

TEST(DetectLimitsTest, endless_structures_end) {
    const std::string ftyp = "\0\0\0\x10"s + "ftypisom\0\0\2\0"s;
    const std::string id3 = "ID3\x04\0\0\0\0\0\0"s;
    const std::string ole = sample("doc_late_name.doc").substr(0, 512);
    for (const std::string& hostile :
         {ftyp + repeat("\0\0\0\x08"s + "free", 500'000),
          ftyp + repeat("\0\0\x20\0"s + "free" + std::string(8184, 'x'), 1000),
          ftyp + repeat("\0\0\0\0"s + "moov\0\0\0\0trak\0\0\0\0mdia"s, 1000), repeat(id3, 10'000),
          // Every sector follows itself.
          ole + std::string(4'000'000, '\0'), "PK\x03\x04"s + repeat("PK\x05\x06", 500'000)}) {
        WatchedContent content(hostile);
        expect_within_limits(content);
    }
}

TEST(DetectLimitsTest, no_sample_takes_more_than_a_few_reads) {
    for (const auto& one : test::media_samples) {
        WatchedContent content(sample(one.file));
        expect_within_limits(content);
        EXPECT_LE(content.reads, 8U) << one.file;
    }
}

TEST(DetectLimitsTest, marks_far_inside_are_found) {
    const std::string movie = sample("mp4_audio_only.mp4");
    const auto moov = movie.find("moov") - 4;
    const std::string far = movie.substr(0, 28) + "\0\x20\0\x08"s + "free" +
                            std::string(0x200000, 'x') + movie.substr(moov);
    WatchedContent content(far);
    EXPECT_EQ(test::run(detect(content)).value_or(Detected{}).type, "audio/x-m4a");
    EXPECT_LE(content.reads, 4U);

    const std::string tag = "ID3\x04\0\0\0\x10\0\0"s + std::string(16 * 128 * 128, 'x');
    WatchedContent flac(tag + sample("flac.flac"));
    EXPECT_EQ(test::run(detect(flac)).value_or(Detected{}).forbidden, Forbidden::flac);
    WatchedContent mp3(tag + sample("mp3_bare.mp3"));
    EXPECT_EQ(test::run(detect(mp3)).value_or(Detected{}).type, "audio/mpeg");
}

TEST(DetectLimitsTest, an_error_of_the_content_is_handed_on) {
    for (const auto& one : test::media_samples) {
        const std::string bytes = std::string(20'000, '\x01') + sample(one.file);
        for (std::size_t fail_at = 0;; ++fail_at) {
            WatchedContent content(bytes);
            content.fail_at = fail_at;
            const auto found = test::run(detect(content));
            EXPECT_EQ(found.has_value(), !content.failed);
            if (found) break;
            EXPECT_EQ(found.error().code, Errc::corrupt);
            ASSERT_LT(fail_at, 300U);
        }
    }
}

// For people: microseconds a file, from memory. Asserts nothing about time.
TEST(DetectLimitsTest, prints_what_a_file_costs) {
    std::vector<double> medians;
    for (const auto& one : test::media_samples) {
        const std::string bytes = sample(one.file);
        std::vector<double> times;
        for (int i = 0; i < 51; ++i) {
            BytesContent content(as_bytes(bytes));
            const auto begin = std::chrono::steady_clock::now();
            EXPECT_TRUE(test::run(detect(content)).has_value());
            const std::chrono::duration<double, std::micro> took =
                std::chrono::steady_clock::now() - begin;
            times.push_back(took.count());
        }
        std::ranges::sort(times);
        medians.push_back(times[times.size() / 2]);
    }
    std::ranges::sort(medians);
    std::printf("detect: median %.1f us a file, slowest file %.1f us\n",
                medians[medians.size() / 2], medians.back());
}

}  // namespace
}  // namespace satchel::media
