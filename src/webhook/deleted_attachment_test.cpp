#include "webhook/deleted_attachment.hpp"

#include <gtest/gtest.h>

namespace satchel::webhook {
namespace {

const AttachmentId gone = *AttachmentId::parse("550e8400-e29b-41d4-a716-446655440000");

std::string media(std::string_view id) {
    return R"({"type":"media","id":")" + std::string(id) +
           R"(","url":"https://cdn/x.jpg","filename":"x.jpg","mime_type":"image/jpeg","size_bytes":3})";
}

constexpr std::string_view nulls =
    R"({"type":"media","id":null,"url":null,"filename":null,"mime_type":null,"size_bytes":null})";

TEST(DeletedAttachment, its_part_keeps_its_place_wherever_it_stands) {
    const std::string other = media("650e8400-e29b-41d4-a716-446655440000");
    for (const auto& [before, after] :
         {std::pair<std::string, std::string>{R"({"data":{"parts":[)", "]}}"},
          std::pair<std::string, std::string>{R"({"data":{"message":{"parts":[)", "]}}}"}}) {
        const std::string text =
            R"({"type":"text","value":"550e8400-e29b-41d4-a716-446655440000"},)";
        EXPECT_EQ(body_without(before + text + media(gone.str()) + "," + other + after, gone),
                  before + text + std::string(nulls) + "," + other + after);
    }
}

TEST(DeletedAttachment, what_does_not_show_it_stays_as_it_is) {
    for (const std::string body :
         {R"({"data":{"parts":[]}})", R"({"a":1.5,"b":[null,"x"]})", "no json"}) {
        if (body.starts_with('{')) {
            EXPECT_EQ(body_without(body, gone).size(), body_without(body, AttachmentId{}).size());
        } else {
            EXPECT_EQ(body_without(body, gone), body);
        }
    }
}

}  // namespace
}  // namespace satchel::webhook
