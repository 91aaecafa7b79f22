#include "admin/multipart.hpp"

#include "base/bytes.hpp"
#include "tests/support/run.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace satchel::admin {
namespace {

// Gives at most `step` bytes at a time.
class SlowBody : public http::Body {
public:
    SlowBody(std::string text, std::size_t step) : text_(std::move(text)), step_(step) {}
    Async<std::size_t> read(std::span<std::byte> target) override {
        const std::size_t n = std::min({target.size(), text_.size() - at_, step_});
        std::ranges::copy(as_bytes(std::string_view(text_).substr(at_, n)), target.begin());
        at_ += n;
        co_return n;
    }
    Async<std::size_t> fill(std::span<std::byte> target) override {
        co_return co_await read(target);
    }
    Async<std::string> read_all(std::size_t /*max*/) override { co_return text_; }

private:
    std::string text_;
    std::size_t step_;
    std::size_t at_ = 0;
};

struct Part {
    PartHead head;
    std::string content;
};

Result<std::vector<Part>> read_parts(std::string text, std::size_t step) {
    SlowBody body(std::move(text), step);
    TRY(auto reader, MultipartReader::open("multipart/form-data; boundary=\"b\"", body));
    std::vector<Part> parts;
    while (true) {
        TRY(auto head, test::run(reader.next()));
        if (!head) return parts;
        TRY(auto content, test::run(reader.read_text(1000)));
        parts.push_back({*head, std::move(content)});
    }
}

constexpr std::string_view two_parts =
    "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{}\r\n"
    "--b\r\ncontent-disposition: form-data; name=media; filename=\"a \\\"b\\\".jpg\"\r\n"
    "Content-Type: image/jpeg\r\n\r\n\r\n--\r\n-b\r\n--b--\r\nepilogue";

TEST(MultipartTest, parts_come_out_whole_however_the_body_is_cut) {
    for (const std::size_t step : {1U, 2U, 3U, 7U, 64U, 100'000U}) {
        const auto parts = read_parts(std::string(two_parts), step);
        ASSERT_TRUE(parts) << step;
        ASSERT_EQ(parts->size(), 2U);
        EXPECT_EQ((*parts)[0].head.name, "message");
        EXPECT_EQ((*parts)[0].content, "{}");
        EXPECT_EQ((*parts)[1].head.filename, "a \"b\".jpg");
        EXPECT_EQ((*parts)[1].head.content_type, "image/jpeg");
        EXPECT_EQ((*parts)[1].content, "\r\n--\r\n-b");
    }
}

TEST(MultipartTest, an_empty_part_is_empty) {
    const auto parts = read_parts("--b\r\nA: b\r\n\r\n\r\n--b\r\nA: b\r\n\r\nx\r\n--b--\r\n", 3);
    ASSERT_TRUE(parts);
    ASSERT_EQ(parts->size(), 2U);
    EXPECT_EQ((*parts)[0].content, "");
    EXPECT_EQ((*parts)[1].content, "x");
}

TEST(MultipartTest, a_body_that_ends_early_is_refused_wherever_it_is_cut) {
    const std::size_t end = two_parts.find("--b--") + 5;
    for (std::size_t size = 0; size < end; ++size) {
        EXPECT_FALSE(read_parts(std::string(two_parts.substr(0, size)), 5)) << size;
    }
}

TEST(MultipartTest, another_content_type_is_refused) {
    SlowBody body("", 1);
    for (const auto* type :
         {"", "application/json", "multipart/form-data", "multipart/mixed; boundary=b"}) {
        EXPECT_FALSE(MultipartReader::open(type, body)) << type;
    }
}

}  // namespace
}  // namespace satchel::admin
