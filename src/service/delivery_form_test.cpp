#include "service/delivery_form.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

using media::Form;

std::optional<Form> form(std::string_view type, DeliverySettings settings = {}) {
    const auto wanted = delivery_form(type, Purpose::media, settings);
    return wanted ? std::optional(wanted->form) : std::nullopt;
}

TEST(DeliveryForm, only_tiff_and_caf_are_converted_unless_asked_for_more) {
    EXPECT_EQ(form("image/tiff"), Form::jpeg);
    EXPECT_EQ(form("audio/x-caf"), Form::m4a);
    for (const auto* type : {"image/jpeg", "image/heic", "audio/mpeg", "video/mp4", "text/plain"}) {
        EXPECT_EQ(form(type), std::nullopt) << type;
    }
    EXPECT_EQ(form("image/tiff", {.transcode = false}), std::nullopt);
}

TEST(DeliveryForm, heic_and_heif_become_jpeg_when_asked_for) {
    EXPECT_EQ(form("image/heic", {.heic_to_jpeg = true}), Form::jpeg);
    EXPECT_EQ(form("image/heif", {.heic_to_jpeg = true}), Form::jpeg);
    EXPECT_EQ(form("image/png", {.heic_to_jpeg = true}), std::nullopt);
}

TEST(DeliveryForm, metadata_is_stripped_where_formats_have_it) {
    const DeliverySettings strip{.strip_metadata = true};
    for (const auto* type : {"image/jpeg", "image/png", "image/heic", "video/quicktime",
                             "video/x-m4v", "video/3gpp"}) {
        EXPECT_EQ(form(type, strip), Form::stripped) << type;
    }
    EXPECT_EQ(form("image/gif", strip), std::nullopt);
    const auto tiff = delivery_form("image/tiff", Purpose::media, strip);
    EXPECT_EQ(tiff, (WantedForm{.form = Form::jpeg, .without_metadata = true}));
    EXPECT_EQ(name_of(*tiff), "jpeg-stripped");
    EXPECT_EQ(form("image/tiff", {.transcode = false, .strip_metadata = true}), Form::stripped);
}

TEST(DeliveryForm, a_voice_memo_is_made_one) {
    EXPECT_EQ(delivery_form("audio/mpeg", Purpose::voice_memo, {}),
              WantedForm{.form = Form::voice});
    EXPECT_EQ(delivery_form("audio/mpeg", Purpose::voice_memo, {.transcode = false}), std::nullopt);
}

}  // namespace
}  // namespace satchel
