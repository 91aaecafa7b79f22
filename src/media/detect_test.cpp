#include "media/detect.hpp"

#include "base/limits.hpp"
#include "model/content_type.hpp"
#include "tests/support/media_samples.hpp"
#include "tests/support/project_file.hpp"
#include "tests/support/run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

namespace satchel::media {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

std::string sample(std::string_view file) {
    return test::read_project_file("tests/data/media/" + std::string(file));
}

Detected detect_bytes(std::string_view bytes) {
    BytesContent content(as_bytes(bytes));
    const auto detected = test::run(detect(content));
    EXPECT_TRUE(detected.has_value());
    return detected.value_or(Detected{});
}

std::string_view type_of(std::string_view bytes) {
    return detect_bytes(bytes).type;
}

bool is_forbidden(std::string_view bytes) {
    return detect_bytes(bytes).forbidden != Forbidden::no;
}

std::string box(std::string_view type, std::string_view content) {
    std::string out;
    const auto size = static_cast<std::uint32_t>(content.size() + 8);
    for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(size >> shift & 0xFFU);
    return out.append(type).append(content);
}

TEST(DetectTest, every_sample_is_what_it_is) {
    for (const auto& [file, type, certainty, forbidden] : test::media_samples) {
        const Detected found = detect_bytes(sample(file));
        EXPECT_EQ(found.type, type) << file;
        EXPECT_EQ(found.certainty, certainty) << file;
        EXPECT_EQ(found.forbidden, forbidden) << file;
        EXPECT_EQ(found.format.empty(), certainty == Certainty::none) << file;
    }
}

TEST(DetectTest, every_file_of_the_folder_is_a_sample) {
    std::set<std::string> known;
    for (const auto& one : test::media_samples) known.emplace(one.file);
    std::set<std::string> there;
    for (const auto& entry :
         std::filesystem::directory_iterator(SATCHEL_SOURCE_DIR "/tests/data/media")) {
        there.insert(entry.path().filename());
    }
    EXPECT_EQ(there, known);
}

TEST(DetectTest, every_type_but_aliases_and_markdown_is_recognised) {
    std::set<std::string_view> found;
    for (const auto& one : test::media_samples) found.insert(one.type);
    // Deprecated names of others, names of the same bytes, and text without a mark of its own.
    for (const std::string_view alike :
         {"audio/mp3", "audio/mp4", "audio/aiff", "video/mpeg2", "text/markdown"}) {
        EXPECT_FALSE(found.contains(alike)) << alike;
        found.insert(alike);
    }
    for (const ContentType& type : content_types())
        EXPECT_TRUE(found.contains(type.name)) << type.name;
}

// A cut file is itself, or less sure, or nothing; never surely something else.
TEST(DetectTest, a_sample_that_is_cut_anywhere_promises_nothing_wrong) {
    for (const auto& one : test::media_samples) {
        const std::string whole = sample(one.file);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const Detected cut = detect_bytes(std::string_view(whole).substr(0, size));
            if (cut.certainty != Certainty::exact) continue;
            // Without the end of its mark AMR is a script's first line.
            if (one.type == "audio/amr" && size < "#!AMR-WB\n"sv.size()) continue;
            EXPECT_EQ(cut.type, one.type) << one.file << " cut to " << size;
            EXPECT_EQ(cut.forbidden, one.forbidden) << one.file << " cut to " << size;
        }
    }
}

TEST(DetectTest, the_head_forbids_nothing_that_the_whole_allows) {
    for (const auto& one : test::media_samples) {
        const std::string whole = sample(one.file);
        if (!is_forbidden_head(as_bytes(std::string_view(whole).substr(0, sniff_bytes)))) continue;
        EXPECT_NE(one.forbidden, Forbidden::no) << one.file;
    }
}

TEST(DetectTest, empty_content_is_unknown) {
    EXPECT_EQ(detect_bytes(""), Detected{});
}

TEST(DetectTest, the_beginning_decides_about_polyglots) {
    const std::string zip = sample("zip.zip");
    const std::string html = sample("html.html");
    EXPECT_EQ(type_of(sample("gif.gif") + html), "image/gif");
    EXPECT_EQ(type_of("GIF89a/*" + html), "image/gif");
    EXPECT_EQ(type_of(sample("pdf.pdf") + zip), "application/pdf");
    EXPECT_EQ(type_of(sample("jpg.jpg") + zip), "image/jpeg");
    EXPECT_EQ(type_of(html + sample("pdf.pdf")), "application/pdf");
    EXPECT_EQ(type_of(zip.substr(0, 31) + "%PDF-1.4 %%EOF" + zip.substr(31)), "application/zip");
}

TEST(DetectTest, a_program_with_an_archive_behind_it_stays_a_program) {
    const std::string zip = sample("zip.zip");
    EXPECT_TRUE(is_forbidden(sample("pe.exe") + zip));
    EXPECT_TRUE(is_forbidden(sample("elf.elf") + zip));
    EXPECT_TRUE(is_forbidden("#!/bin/sh\nexec unzip $0\n" + zip));
}

TEST(DetectTest, an_archive_with_something_in_front_of_it_is_found_from_its_end) {
    EXPECT_EQ(type_of("\x01\x02\x03 in front"s + sample("docx.docx")),
              detect_bytes(sample("docx.docx")).type);
    EXPECT_EQ(type_of("\x01\x02\x03 in front"s + sample("numbers.numbers")),
              "application/x-iwork-numbers-sffnumbers");
    EXPECT_TRUE(is_forbidden("\x01\x02\x03 in front"s + sample("jar.jar")));
}

TEST(DetectTest, a_java_program_that_lost_its_directory_is_still_one) {
    const std::string bytes = sample("jar.jar");
    EXPECT_TRUE(is_forbidden(std::string_view(bytes).substr(0, bytes.size() - 30)));
}

TEST(DetectTest, names_in_deeper_folders_of_an_archive_say_nothing) {
    std::string bytes = sample("jar.jar");
    for (auto at = bytes.find("META-INF/"); at != std::string::npos; at = bytes.find("META-INF/")) {
        bytes.replace(at, 9, "META_INF/");
    }
    EXPECT_EQ(type_of(bytes), "application/zip");
}

TEST(DetectTest, words_that_begin_like_a_mark_are_text) {
    for (const std::string_view text :
         {"MZ is short for Mark Zbikowski.\n", "BM 3000 is a microphone\n", "ID3 tags explained\n",
          "RIFF is a container, WAVE is in it\n", "G is a letter\n", "dex\n035\n",
          "II*I is no TIFF\n", "PKZIP was written by Phil Katz\n",
          "A %PDF-1.4 header begins a PDF\n", "MThd begins MIDI\n", "caff, not caffeine\n",
          "abcdmoov and so on\n", "#include <stdio.h>\n", "xar! said the pirate\n", "{curly}\n",
          "[1]: https://example.com\n"}) {
        const Detected found = detect_bytes(text);
        EXPECT_EQ(found.kind, Kind::text) << text << found.format;
        EXPECT_EQ(found.certainty, Certainty::guess) << text;
    }
}

TEST(DetectTest, generic_mp4_without_its_movie_box_is_a_guess) {
    const std::string whole = box("ftyp", "isom\0\0\2\0isomiso2"sv) + box("mdat", "0123456789");
    EXPECT_EQ(detect_bytes(whole).certainty, Certainty::guess);
    EXPECT_EQ(type_of(whole), "video/mp4");
    EXPECT_EQ(
        type_of(whole +
                box("moov", box("trak", box("mdia", box("hdlr", "\0\0\0\0\0\0\0\0soun\0\0"sv))))),
        "audio/x-m4a");
    EXPECT_EQ(
        type_of(whole +
                box("moov", box("trak", box("mdia", box("hdlr", "\0\0\0\0\0\0\0\0vide\0\0"sv))))),
        "video/mp4");
}

TEST(DetectTest, brands_decide_where_they_can) {
    const auto branded = [](std::string_view major, std::string_view others = "") {
        return type_of(box("ftyp", std::string(major) + "\0\0\0\0"s + std::string(others)) +
                       box("mdat", "0123456789"));
    };
    for (const auto& [major, type] :
         std::initializer_list<std::pair<std::string_view, std::string_view>>{
             {"heic", "image/heic"},
             {"heix", "image/heic"},
             {"hevc", "image/heic"},
             {"mif1", "image/heif"},
             {"M4A ", "audio/x-m4a"},
             {"M4B ", "audio/x-m4a"},
             {"M4V ", "video/x-m4v"},
             {"M4VH", "video/x-m4v"},
             {"qt  ", "video/quicktime"},
             {"3gp5", "video/3gpp"},
             {"3g2a", "video/3gpp"}}) {
        EXPECT_EQ(branded(major), type) << major;
    }
    EXPECT_EQ(branded("mif1", "miafheic"), "image/heic");
    EXPECT_EQ(branded("mif1", "miafavif"), "");
}

TEST(DetectTest, a_sync_word_alone_is_no_recording) {
    EXPECT_EQ(detect_bytes("\xff\xfb\x90\x00"s + std::string(2000, '\x7f')).type, "");
    EXPECT_EQ(detect_bytes("\xff\xf1\x50\x80\x02\x1f\xfc"s + std::string(2000, '\x7f')).type, "");
}

TEST(DetectTest, text_may_begin_with_blanks_and_a_byte_order_mark) {
    EXPECT_EQ(type_of("\xef\xbb\xbf\r\n  begin:vcalendar\r\n"), "text/calendar");
    EXPECT_EQ(type_of("\n\n<!-- x --> <HTML>\n"), "text/html");
    EXPECT_EQ(type_of("\xff\xfe<\0s\0v\0g\0>\0"sv), "image/svg+xml");
    EXPECT_EQ(type_of("<!-- x --><svg:svg xmlns:svg='y'/>"), "image/svg+xml");
}

TEST(DetectTest, json_must_be_json_as_far_as_it_is_seen) {
    for (const std::string_view yes :
         {"{}", "[]", " [1, -2.5e+7, \"\\\"\"]\n", "{\"a\": [[], {}]}"}) {
        EXPECT_EQ(type_of(yes), "application/json") << yes;
    }
    for (const std::string_view no :
         {"{", "[1", "[1] and more", "{a: 1}", "[1 2]", "{\"a\" 1}", "[x]", "{\"a\": 1]",
          "[\"\n\"]", "42", "\"text\"", "[01x]", "[,]"}) {
        EXPECT_EQ(type_of(no), "text/plain") << no;
    }
    const std::string large = "[" + std::string(limits::detect_head_bytes * 2, '1');
    EXPECT_EQ(type_of(large), "application/json");
    EXPECT_EQ(type_of(std::string(1000, '[') + std::string(1000, ']')), "text/plain");
}

TEST(DetectTest, control_characters_are_no_text) {
    EXPECT_EQ(detect_bytes("plain\0text"sv), Detected{});
    EXPECT_EQ(detect_bytes("\x01"), Detected{});
    EXPECT_EQ(detect_bytes("\xc3\x28\xa0\xa1\xff\xff"), Detected{});
}

}  // namespace
}  // namespace satchel::media
