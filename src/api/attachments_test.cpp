#include "api/attachments.hpp"

#include "model/api_errors.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace satchel::api {
namespace {

std::uint16_t code_of(std::string_view json) {
    const auto parsed = parse_create_attachment(json);
    return parsed ? 0 : parsed.error().reason->code;
}

TEST(CreateAttachmentBody, is_read_and_unknown_members_are_ignored) {
    const auto parsed = parse_create_attachment(
        R"({"extra":[1],"filename":"a\u0000b\ud83d\ude00","content_type":"image/png",)"
        R"("size_bytes":5})");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->filename, std::string("a\0b\xf0\x9f\x98\x80", 7));
    EXPECT_EQ(parsed->content_type, "image/png");
    EXPECT_EQ(parsed->size_bytes, 5);
}

TEST(CreateAttachmentBody, errors_have_the_codes_of_the_contract) {
    struct Case {
        std::string_view json;
        std::uint16_t code;
    };
    const std::array cases{
        Case{"", 1003},
        Case{"null", 1003},
        Case{"[]", 1003},
        Case{"{", 1003},
        Case{R"({"filename":"a"} x)", 1003},
        Case{R"({})", 1001},
        Case{R"({"filename":"a","content_type":"b"})", 1001},
        Case{R"({"filename":"a","size_bytes":1})", 1001},
        Case{R"({"content_type":"a","size_bytes":1})", 1001},
        Case{R"({"filename":null,"content_type":"b","size_bytes":1})", 1001},
        Case{R"({"filename":1,"content_type":"b","size_bytes":1})", 1003},
        Case{R"({"filename":"a","content_type":{},"size_bytes":1})", 1003},
        Case{R"({"filename":"a","content_type":"b","size_bytes":"1"})", 1003},
        Case{R"({"filename":"a","content_type":"b","size_bytes":1.5})", 1003},
        Case{R"({"filename":"\ud800","content_type":"b","size_bytes":1})", 1003},
        Case{"{\"filename\":\"\xff\",\"content_type\":\"b\",\"size_bytes\":1}", 1003},
    };
    for (const Case& c : cases) EXPECT_EQ(code_of(c.json), c.code) << c.json;
    const std::string deep = R"({"a":)" + std::string(40, '[') + std::string(40, ']') + "}";
    EXPECT_EQ(code_of(deep), 1003);
}

TEST(CreateAttachmentBody, a_size_beyond_every_integer_is_still_a_size) {
    const auto parsed = parse_create_attachment(
        R"({"filename":"a","content_type":"b","size_bytes":18446744073709551615})");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->size_bytes, std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace satchel::api
