#include "media/judge.hpp"

#include "media/detect.hpp"
#include "model/api_errors.hpp"
#include "tests/support/media_samples.hpp"
#include "tests/support/project_file.hpp"
#include "tests/support/run.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace satchel::media {
namespace {

constexpr ContentTypePolicy usual{};
constexpr ContentTypePolicy lenient{.accept_webp_and_svg = true, .accept_former_types = true};

constexpr std::string_view contradiction = "contradicts";
constexpr std::string_view refusal = "forbidden";
constexpr std::string_view docx =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
constexpr std::string_view xlsx =
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

Detected detected(std::string_view bytes) {
    BytesContent content(as_bytes(bytes));
    return test::run(detect(content)).value_or(Detected{});
}

Detected sample(std::string_view file) {
    return detected(test::read_project_file("tests/data/media/" + std::string(file)));
}

// The type it is to be known as, or why it is not accepted.
std::string_view name_of(const Judgement& judgement) {
    EXPECT_EQ(judgement.type != nullptr, judgement.outcome == Outcome::accepted);
    EXPECT_EQ(judgement.message.empty(), judgement.outcome == Outcome::accepted);
    if (judgement.outcome == Outcome::contradicts) return contradiction;
    return judgement.type == nullptr ? refusal : judgement.type->name;
}

std::string_view judged(std::string_view declared,
                        std::string_view file,
                        const ContentTypePolicy& policy = usual) {
    return name_of(judge(declared, sample(file), policy));
}

struct Case {
    std::string_view declared;
    std::string_view file;
    std::string_view expected;
};

void expect_all(std::initializer_list<Case> cases) {
    for (const Case& one : cases) {
        EXPECT_EQ(judged(one.declared, one.file), one.expected) << one.declared << " " << one.file;
    }
}

TEST(JudgeTest, every_sample_is_accepted_as_what_it_is) {
    for (const auto& one : test::media_samples) {
        if (one.type.empty()) continue;
        EXPECT_EQ(judged(one.type, one.file, lenient), one.type) << one.file;
    }
}

TEST(JudgeTest, another_format_of_the_same_kind_is_delivered_as_what_it_is) {
    expect_all({{"image/jpeg", "png.png", "image/png"},
                {"IMAGE/JPEG; q=1", "heic.heic", "image/heic"},
                {"image/jpg", "gif.gif", "image/gif"},
                {"audio/x-wav", "mp3.mp3", "audio/mpeg"},
                {"video/mp4", "mov.mov", "video/quicktime"},
                {docx, "doc.doc", "application/msword"},
                {docx, "xlsx.xlsx", xlsx},
                {"application/zip", "docx.docx", docx},
                {docx, "zip.zip", "application/zip"},
                {"text/vcard", "ics.ics", "text/calendar"},
                {"text/vcard", "txt.txt", "text/plain"}});
}

TEST(JudgeTest, another_kind_contradicts) {
    for (const std::string_view declared :
         {"image/jpeg", "video/mp4", "audio/mpeg", "application/pdf"}) {
        for (const std::string_view file :
             {"html.html", "html_fragment.html", "zip.zip", "docx.docx", "txt.txt", "json.json",
              "csv.csv", "gzip.gz", "vcf.vcf", "doc.doc", "ico.ico", "rtf.rtf"}) {
            if (declared == "image/jpeg" && file == "ico.ico") continue;
            EXPECT_EQ(judged(declared, file), contradiction) << declared << " " << file;
        }
    }
    expect_all({{"image/png", "pdf.pdf", contradiction},
                {"image/png", "mp4.mp4", contradiction},
                {"video/mp4", "mp3.mp3", contradiction},
                {"audio/x-wav", "avi.avi", contradiction},
                {"text/plain", "png.png", contradiction},
                {"text/csv", "xlsx.xlsx", contradiction},
                {"text/plain", "pdf.pdf", contradiction},
                {docx, "html.html", contradiction},
                {"application/zip", "txt.txt", contradiction}});
}

TEST(JudgeTest, forbidden_content_is_refused_whatever_it_is_called) {
    for (const auto& one : test::media_samples) {
        if (one.forbidden == Forbidden::no) continue;
        for (const std::string_view declared :
             {"image/jpeg", "audio/mpeg", "text/plain", "application/zip", "application/msword"}) {
            EXPECT_EQ(judged(declared, one.file, lenient), refusal) << declared << " " << one.file;
        }
    }
}

TEST(JudgeTest, webp_and_svg_are_the_policys_to_decide) {
    for (const std::string_view declared : {"image/png", "image/webp", "image/svg+xml"}) {
        EXPECT_EQ(judged(declared, "webp.webp"), refusal);
        EXPECT_EQ(judged(declared, "svg.svg"), refusal);
        EXPECT_EQ(judged(declared, "webp.webp", lenient), "image/webp");
        EXPECT_EQ(judged(declared, "svg.svg", lenient), "image/svg+xml");
    }
    EXPECT_EQ(judged("text/xml", "svg.svg"), refusal);
}

TEST(JudgeTest, text_that_nothing_tells_apart_keeps_its_name) {
    for (const std::string_view declared :
         {"text/plain", "text/markdown", "text/csv", "text/html", "text/xml", "application/json"}) {
        for (const std::string_view file : {"txt.txt", "md.md", "csv.csv", "json.json", "html.html",
                                            "txt_utf16le.txt", "txt_latin1.txt", "rtf.rtf"}) {
            EXPECT_EQ(judged(declared, file), declared) << file;
        }
    }
}

TEST(JudgeTest, containers_hold_pictures_or_sound) {
    expect_all({{"audio/mp4", "m4a.m4a", "audio/x-m4a"},
                {"audio/mp4", "mp4_audio_only.mp4", "audio/x-m4a"},
                {"video/mp4", "mp4_audio_only.mp4", "audio/x-m4a"},
                {"audio/x-m4a", "mp4.mp4", "video/mp4"},
                {"audio/mp4", "3gp.3gp", "video/3gpp"},
                {"audio/mpeg", "mpeg_ps.mpg", "video/mpeg"},
                {"video/mpeg", "mp2.mp3", "audio/mpeg"},
                {"video/mpeg2", "mpeg_ps.mpg", "video/mpeg2"},
                {"video/x-m4v", "mp4.mp4", "video/x-m4v"}});
    const Detected cut = probably(Kind::video, "video/mp4", "MP4 file");
    for (const std::string_view declared : {"video/mp4", "audio/x-m4a", "audio/mp4", "audio/aac"}) {
        EXPECT_EQ(name_of(judge(declared, cut, usual)), declared);
    }
}

TEST(JudgeTest, old_office_names_cover_what_was_saved_under_them) {
    expect_all({{"application/msword", "rtf.rtf", "text/rtf"},
                {"application/vnd.ms-excel", "html.html", "text/html"},
                {"application/vnd.ms-excel", "csv.csv", "text/csv"},
                {"application/msword", "msg.msg", "application/msword"},
                {docx, "encrypted.docx", docx},
                {"application/x-iwork-pages-sffpages", "pages_09.pages",
                 "application/x-iwork-pages-sffpages"}});
}

TEST(JudgeTest, unknown_bytes_prove_nothing) {
    for (const ContentType& type : content_types()) {
        EXPECT_EQ(judged(type.name, "random.bin"), type.name);
    }
}

std::string_view fetched(const Fetched& answer, std::string_view file) {
    return name_of(judge_fetched(answer, sample(file), usual));
}

TEST(JudgeTest, bytes_come_first_for_media_by_url) {
    EXPECT_EQ(fetched({"text/html", ""}, "jpg.jpg"), "image/jpeg");
    EXPECT_EQ(fetched({"image/png", "JPG"}, "gif.gif"), "image/gif");
    EXPECT_EQ(fetched({"", ""}, "pdf.pdf"), "application/pdf");
    EXPECT_EQ(fetched({"image/webp", "webp"}, "png.png"), "image/png");
}

TEST(JudgeTest, then_the_content_type_then_the_extension) {
    EXPECT_EQ(fetched({"text/markdown; charset=utf-8", "txt"}, "txt.txt"), "text/markdown");
    EXPECT_EQ(fetched({"application/octet-stream", "md"}, "txt.txt"), "text/markdown");
    EXPECT_EQ(fetched({"image/png", "md"}, "txt.txt"), "text/markdown");
    EXPECT_EQ(fetched({"", ""}, "txt.txt"), "text/plain");
    EXPECT_EQ(fetched({"audio/mpeg", "jpg"}, "random.bin"), "audio/mpeg");
    EXPECT_EQ(fetched({"nonsense", "mp3"}, "random.bin"), "audio/mpeg");
    EXPECT_EQ(fetched({"", "php"}, "random.bin"), refusal);
    EXPECT_EQ(fetched({"application/x-msdownload", ""}, "random.bin"), refusal);
    EXPECT_EQ(fetched({"image/webp", "webp"}, "random.bin"), refusal);
}

TEST(JudgeTest, bytes_may_not_contradict_the_extension) {
    EXPECT_EQ(fetched({"image/jpeg", "jpg"}, "html.html"), contradiction);
    EXPECT_EQ(fetched({"text/plain", "png"}, "txt.txt"), contradiction);
    EXPECT_EQ(fetched({"", "pdf"}, "jpg.jpg"), contradiction);
    EXPECT_EQ(fetched({"", "jpeg"}, "png.png"), "image/png");
    EXPECT_EQ(fetched({"", "cgi"}, "png.png"), "image/png");
    EXPECT_EQ(fetched({"image/jpeg", "jpg"}, "pe.exe"), refusal);
}

TEST(JudgeTest, a_judgement_is_the_error_of_a_send) {
    EXPECT_TRUE(check_judgement(judge("image/png", sample("png.png"), usual)).has_value());
    const auto forbidden_error =
        check_judgement(judge("audio/mpeg", sample("flac.flac"), usual)).error();
    EXPECT_EQ(forbidden_error.reason, &reasons::invalid_file_type);
    EXPECT_NE(forbidden_error.message.find("FLAC"), std::string::npos);
    const auto mismatch = check_judgement(judge("image/png", sample("html.html"), usual)).error();
    EXPECT_EQ(mismatch.reason, &reasons::content_type_mismatch);
    EXPECT_NE(mismatch.message.find("image/png"), std::string::npos);
}

}  // namespace
}  // namespace satchel::media
