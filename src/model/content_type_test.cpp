#include "model/content_type.hpp"

#include "base/limits.hpp"
#include "model/api_errors.hpp"
#include "tests/support/project_file.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace satchel {
namespace {

using namespace std::string_view_literals;

constexpr ContentTypePolicy usual{};
constexpr ContentTypePolicy lenient{.accept_webp_and_svg = true, .accept_former_types = true};
constexpr ContentTypePolicy strict{.accept_webp_and_svg = false, .accept_former_types = false};

constexpr std::pair<std::string_view, std::string_view> former_types[] = {
    {"image/jpg", "image/jpeg"},
    {"image/x-ms-bmp", "image/bmp"},
    {"audio/m4a", "audio/x-m4a"},
    {"audio/wav", "audio/x-wav"},
    {"audio/x-aac", "audio/aac"},
    {"text/x-vcard", "text/vcard"},
    {"application/rtf", "text/rtf"},
    {"application/vnd.apple.pages", "application/x-iwork-pages-sffpages"},
    {"application/vnd.apple.numbers", "application/x-iwork-numbers-sffnumbers"},
    {"application/vnd.apple.keynote", "application/x-iwork-keynote-sffkey"},
    {"application/x-zip-compressed", "application/zip"},
};

std::string message_of(std::string_view declared, const ContentTypePolicy& policy = usual) {
    const auto result = check_content_type(declared, policy);
    EXPECT_FALSE(result.has_value()) << declared;
    if (result) return {};
    EXPECT_EQ(result.error().reason, &reasons::invalid_file_type) << declared;
    return result.error().message;
}

std::string_view accepted_as(std::string_view declared, const ContentTypePolicy& policy = usual) {
    const auto result = check_content_type(declared, policy);
    EXPECT_TRUE(result.has_value()) << declared;
    return result ? (*result)->name : std::string_view();
}

bool is_webp_or_svg(const ContentType& type) {
    return type.name == "image/webp" || type.name == "image/svg+xml";
}

TEST(ContentTypeTest, the_50_values_and_pkpass_are_known_once_each) {
    std::set<std::string_view> names;
    for (const ContentType& type : content_types()) names.insert(type.name);
    EXPECT_EQ(content_types().size(), 51U);
    EXPECT_EQ(names.size(), 51U);
    EXPECT_TRUE(names.contains("application/vnd.apple.pkpass"));
}

TEST(ContentTypeTest, all_but_webp_and_svg_are_accepted_by_default) {
    for (const ContentType& type : content_types()) {
        EXPECT_EQ(check_content_type(type.name, usual).has_value(), !is_webp_or_svg(type))
            << type.name;
        EXPECT_EQ(accepted_as(type.name, lenient), type.name);
    }
}

TEST(ContentTypeTest, refused_webp_and_svg_are_named_with_a_way_out) {
    EXPECT_EQ(message_of("image/webp"),
              "image/webp is not supported; convert it to image/jpeg or image/png");
    EXPECT_EQ(message_of("IMAGE/SVG+XML; charset=utf-8"),
              "image/svg+xml is not supported; convert it to image/jpeg or image/png");
}

TEST(ContentTypeTest, case_outer_blanks_and_parameters_do_not_matter) {
    EXPECT_EQ(accepted_as("Image/JPEG"), "image/jpeg");
    EXPECT_EQ(accepted_as("  image/jpeg "), "image/jpeg");
    EXPECT_EQ(accepted_as("text/plain; charset=utf-8"), "text/plain");
    EXPECT_EQ(accepted_as("text/plain ;charset=\"utf-8\" ; format=flowed;"), "text/plain");
    EXPECT_EQ(accepted_as("video/mp4; codecs=\"avc1.42E01E, mp4a.40.2\""), "video/mp4");
    EXPECT_EQ(accepted_as("text/plain; x=\"a\\\"b\""), "text/plain");
}

TEST(ContentTypeTest, parameters_must_be_fit_for_a_header) {
    for (const std::string_view declared :
         {"image/jpeg; a=b\r\nX-Y: z"sv, "image/jpeg; a=\0"sv, "image/jpeg; a=\xc3\xa9"sv,
          "image/jpeg\t"sv, "image/jpeg; a=\x7f"sv,
          // A reader of the header would see two types.
          "text/plain; a=b, text/html"sv, "text/plain;,text/html"sv, "text/plain; a=\"b"sv,
          "text/plain; a=\"b\\"sv, "text/plain; a"sv, "text/plain; a="sv, "text/plain; =b"sv,
          "text/plain; a = b"sv, "text/plain; a=b c=d"sv}) {
        EXPECT_NE(message_of(declared), "") << declared;
    }
}

TEST(ContentTypeTest, a_declared_text_has_a_longest_form) {
    const std::string fits =
        "text/plain; a=" + std::string(limits::content_type_bytes_max - 14, 'b');
    ASSERT_EQ(fits.size(), limits::content_type_bytes_max);
    EXPECT_EQ(accepted_as(fits), "text/plain");
    EXPECT_NE(message_of(fits + "b").find("255"), std::string::npos);
}

TEST(ContentTypeTest, deprecated_aliases_are_accepted_and_delivered_under_the_real_name) {
    EXPECT_EQ(find_content_type("audio/mp3")->delivered, "audio/mpeg");
    EXPECT_EQ(find_content_type("audio/mp4")->delivered, "audio/x-m4a");
    EXPECT_EQ(find_content_type("audio/aiff")->delivered, "audio/x-aiff");
    EXPECT_EQ(accepted_as("audio/mp3", strict), "audio/mp3");
}

TEST(ContentTypeTest, tiff_and_caf_are_delivered_converted_and_all_others_as_they_are) {
    const std::set<std::string_view> changed{"image/tiff", "audio/x-caf", "audio/mp3", "audio/mp4",
                                             "audio/aiff"};
    for (const ContentType& type : content_types()) {
        EXPECT_EQ(type.delivered != type.name, changed.contains(type.name)) << type.name;
        EXPECT_NE(find_content_type(type.delivered), nullptr) << type.delivered;
    }
    EXPECT_EQ(find_content_type("image/tiff")->delivered, "image/jpeg");
    EXPECT_EQ(find_content_type("audio/x-caf")->delivered, "audio/mp4");
}

TEST(ContentTypeTest, active_content_is_downloaded_and_never_shown_in_place) {
    const std::set<std::string_view> active{"text/html", "text/xml", "image/svg+xml"};
    for (const ContentType& type : content_types()) {
        EXPECT_EQ(type.disposition == Disposition::attachment, active.contains(type.name))
            << type.name;
    }
}

TEST(ContentTypeTest, every_type_has_an_extension_without_a_dot) {
    for (const ContentType& type : content_types()) {
        EXPECT_FALSE(type.extension.empty()) << type.name;
        EXPECT_EQ(type.extension.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"),
                  std::string_view::npos);
    }
}

TEST(ContentTypeTest, former_types_mean_what_they_are_called_now) {
    for (const auto& [former, now] : former_types) {
        EXPECT_EQ(accepted_as(former), now);
        EXPECT_EQ(find_content_type(former)->name, now);
    }
}

TEST(ContentTypeTest, refused_former_types_are_told_the_new_name) {
    for (const auto& [former, now] : former_types) {
        EXPECT_EQ(message_of(former, strict),
                  std::string(former) + " is not supported; use " + std::string(now));
    }
}

TEST(ContentTypeTest, flac_ogg_and_executables_are_refused_with_a_way_out) {
    EXPECT_EQ(message_of("audio/flac"),
              "audio/flac is not supported; "
              "convert it to audio/mpeg, audio/x-m4a, audio/aac or audio/x-wav");
    for (const std::string_view type : {"audio/flac", "audio/x-flac", "audio/ogg"}) {
        EXPECT_NE(message_of(type, lenient).find("audio/mpeg"), std::string::npos) << type;
    }
    for (const std::string_view type : {"video/ogg", "application/ogg"}) {
        EXPECT_NE(message_of(type, lenient).find("video/mp4"), std::string::npos) << type;
    }
    for (const std::string_view type : {"application/x-msdownload", "application/x-executable",
                                        "application/x-mach-binary", "application/x-sh"}) {
        EXPECT_NE(message_of(type, lenient).find("executable"), std::string::npos) << type;
    }
    EXPECT_NE(message_of("application/octet-stream").find("the type that the file has"),
              std::string::npos);
}

TEST(ContentTypeTest, every_type_that_advice_names_is_accepted) {
    for (const std::string_view refused :
         {"audio/flac", "video/ogg", "application/ogg", "image/webp", "application/octet-stream"}) {
        std::string message = message_of(refused);
        message.erase(0, message.find(';'));
        for (const ContentType& type : content_types()) {
            if (message.find(type.name) == std::string::npos) continue;
            EXPECT_EQ(accepted_as(type.name, strict), type.name);
        }
    }
}

TEST(ContentTypeTest, what_is_not_listed_is_refused_and_named) {
    for (const std::string_view type : {"image/avif", "text/javascript", "application/xhtml+xml"}) {
        EXPECT_TRUE(message_of(type, lenient).starts_with(type)) << type;
    }
    for (const std::string_view type : {"", " ", ";", "image", "image/", "*/*", "image/*",
                                        "image/jpeg,image/png", "image /jpeg"}) {
        EXPECT_NE(message_of(type, lenient), "") << type;
    }
}

TEST(ContentTypeTest, a_stored_type_is_found_whatever_the_policy_is_now) {
    EXPECT_EQ(find_content_type("image/webp")->name, "image/webp");
    EXPECT_EQ(find_content_type(" Text/HTML; charset=x")->disposition, Disposition::attachment);
    EXPECT_EQ(find_content_type("image/avif"), nullptr);
    EXPECT_EQ(find_content_type(""), nullptr);
}

TEST(ContentTypeTest, extensions_lead_to_types) {
    const auto type_of = [](std::string_view extension) {
        const ContentType* type = content_type_of_extension(extension);
        return type == nullptr ? std::string_view() : type->name;
    };
    for (const ContentType& type : content_types()) {
        EXPECT_NE(type_of(type.extension), "") << type.name;
    }
    EXPECT_EQ(type_of("JPEG"), "image/jpeg");
    EXPECT_EQ(type_of("mpg"), "video/mpeg");
    EXPECT_EQ(type_of("mp3"), "audio/mpeg");
    EXPECT_EQ(type_of("m4a"), "audio/x-m4a");
    EXPECT_EQ(type_of("aiff"), "audio/x-aiff");
    EXPECT_EQ(type_of("htm"), "text/html");
    EXPECT_EQ(type_of("exe"), "");
    EXPECT_EQ(type_of(""), "");
}

TEST(ContentTypeDocumentTest, each_type_has_its_row) {
    const std::string page = test::read_project_file("docs/api/content-types.md");
    for (const ContentType& type : content_types()) {
        const std::string delivered =
            type.delivered == type.name ? "as it is" : '`' + std::string(type.delivered) + '`';
        const std::string served =
            type.disposition == Disposition::inline_ ? "inline" : "attachment";
        const std::string row = "\n| `" + std::string(type.name) + "` | " +
                                std::string(type.extension) + " | " + delivered + " | " + served +
                                " | " + (is_webp_or_svg(type) ? "if allowed" : "yes") + " |\n";
        EXPECT_NE(page.find(row), std::string::npos) << "missing:" << row;
    }
    for (const auto& [former, now] : former_types) {
        const std::string row =
            "\n| `" + std::string(former) + "` | `" + std::string(now) + "` |\n";
        EXPECT_NE(page.find(row), std::string::npos) << "missing:" << row;
    }
}

TEST(ContentTypeDocumentTest, the_machine_readable_description_lists_each_type) {
    const std::string page = test::read_project_file("docs/api/openapi.yaml");
    for (const ContentType& type : content_types()) {
        const std::string line = "\n        - " + std::string(type.name) + "\n";
        EXPECT_NE(page.find(line), std::string::npos) << type.name;
    }
}

}  // namespace
}  // namespace satchel
