#include "model/filename.hpp"

#include "model/api_errors.hpp"

#include <gtest/gtest.h>

#include <random>

namespace satchel {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr std::string_view crying = "\xf0\x9f\x98\xad";  // One character, four bytes.

std::string repeat(std::string_view part, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += part;
    return out;
}

const Reason* refusal_of(std::string_view name) {
    const auto result = check_filename(name);
    return result ? nullptr : result.error().reason;
}

TEST(FilenameTest, a_name_has_1_to_255_characters_whatever_their_bytes) {
    EXPECT_EQ(refusal_of(""), &reasons::invalid_parameter);
    EXPECT_EQ(refusal_of("a"), nullptr);
    EXPECT_EQ(refusal_of(std::string(255, 'a')), nullptr);
    EXPECT_EQ(refusal_of(std::string(256, 'a')), &reasons::invalid_parameter);
    EXPECT_EQ(refusal_of(repeat(crying, 255)), nullptr);
    EXPECT_EQ(refusal_of(repeat(crying, 256)), &reasons::invalid_parameter);
}

TEST(FilenameTest, any_characters_may_stand_in_a_name) {
    for (const std::string_view name :
         {"../../etc/passwd"sv, "C:\\boot.ini"sv, "a\0b.jpg"sv, "\r\nSet-Cookie: a=b"sv, "."sv,
          ".."sv, "   "sv, "\"quoted\".txt"sv}) {
        EXPECT_EQ(refusal_of(name), nullptr) << name;
    }
}

TEST(FilenameTest, every_executable_extension_is_refused_by_name) {
    for (const std::string_view extension :
         {"exe", "dll", "msi", "bat", "cmd", "com", "scr", "sh", "app", "apk", "dmg", "jar", "ps1",
          "vbs", "deb", "rpm"}) {
        const auto result = check_filename("setup." + std::string(extension));
        ASSERT_FALSE(result.has_value()) << extension;
        EXPECT_EQ(result.error().reason, &reasons::invalid_file_type);
        EXPECT_NE(result.error().message.find("." + std::string(extension)), std::string::npos);
    }
}

TEST(FilenameTest, case_and_trailing_dots_and_blanks_hide_no_extension) {
    for (const std::string_view name : {"a.EXE"sv, "a.eXe"sv, "a.exe."sv, "a.exe. ."sv, "a.exe  "sv,
                                        "a.exe\0"sv, "a.exe\t\n"sv, "photo.jpg.exe"sv, ".exe"sv}) {
        EXPECT_EQ(refusal_of(name), &reasons::invalid_file_type) << name;
    }
}

TEST(FilenameTest, only_the_last_extension_counts) {
    for (const std::string_view name :
         {"a.exe.jpg", "exe", "a.exes", "a.sh2", "my.app.notes", "a exe"}) {
        EXPECT_EQ(refusal_of(name), nullptr) << name;
    }
}

TEST(FilenameForUrlTest, ordinary_names_stay_and_others_are_percent_encoded) {
    EXPECT_EQ(filename_for_url("photo-1_final~v2.jpg"), "photo-1_final~v2.jpg");
    EXPECT_EQ(filename_for_url("my photo.jpg"), "my%20photo.jpg");
    EXPECT_EQ(filename_for_url("100%?#&+.jpg"), "100%25%3F%23%26%2B.jpg");
    EXPECT_EQ(filename_for_url("\xc3\xa9t\xc3\xa9.png"), "%C3%A9t%C3%A9.png");
}

TEST(FilenameForUrlTest, nothing_leads_out_of_the_segment) {
    EXPECT_EQ(filename_for_url("../../etc/passwd"), "_.._etc_passwd");
    EXPECT_EQ(filename_for_url("..\\..\\boot.ini"), "_.._boot.ini");
    EXPECT_EQ(filename_for_url("."), "file");
    EXPECT_EQ(filename_for_url(".."), "file");
    EXPECT_EQ(filename_for_url(""), "file");
    EXPECT_EQ(filename_for_url(".htaccess"), "htaccess");
    EXPECT_EQ(filename_for_url("/"), "_");
    EXPECT_EQ(filename_for_url("a\0b\r\nc\x7f.jpg"sv), "a_b__c_.jpg");
    EXPECT_EQ(filename_for_url("a\xc2\x85"
                               "b"),
              "a_b");  // NEXT LINE, a control of Latin-1.
}

TEST(FilenameForUrlTest, a_long_name_is_cut_between_characters_and_keeps_its_extension) {
    EXPECT_EQ(filename_for_url(std::string(255, 'a')).size(), 255U);
    const std::string cut = filename_for_url(repeat(crying, 250) + ".jpeg");
    EXPECT_LE(cut.size(), 765U);
    EXPECT_GT(cut.size(), 740U);
    EXPECT_EQ((cut.size() - 5) % 12, 0U);
    EXPECT_TRUE(cut.ends_with("%AD.jpeg"));
    // What is too long for an extension is none.
    const std::string endless = filename_for_url("a." + repeat(crying, 253));
    EXPECT_LE(endless.size(), 765U);
    EXPECT_TRUE(endless.starts_with("a.%F0%9F%98%AD"));
    EXPECT_TRUE(endless.ends_with("%AD"));
}

TEST(FilenameForHeaderTest, an_ordinary_name_is_one_quoted_string) {
    EXPECT_EQ(filename_for_header("photo.jpg"), R"(filename="photo.jpg")");
    EXPECT_EQ(filename_for_header("my photo (1).jpg"), R"(filename="my photo (1).jpg")");
    EXPECT_EQ(filename_for_header("a;b=c,d'e.txt"), R"(filename="a;b=c,d'e.txt")");
}

TEST(FilenameForHeaderTest, what_ascii_loses_stands_in_the_second_form) {
    EXPECT_EQ(filename_for_header("\xc3\xa9t\xc3\xa9.png"),
              R"(filename="_t_.png"; filename*=UTF-8''%C3%A9t%C3%A9.png)");
    EXPECT_EQ(filename_for_header("say \"hi\".txt"),
              R"(filename="say _hi_.txt"; filename*=UTF-8''say%20%22hi%22.txt)");
    EXPECT_EQ(filename_for_header("100%.txt"),
              R"(filename="100_.txt"; filename*=UTF-8''100%25.txt)");
    EXPECT_EQ(filename_for_header(std::string(crying) + "'*"),
              R"(filename="_'*"; filename*=UTF-8''%F0%9F%98%AD%27%2A)");
}

TEST(FilenameForHeaderTest, nobody_stores_it_outside_the_folder_or_hidden) {
    EXPECT_EQ(filename_for_header("../../.ssh/id"), R"(filename="_.._.ssh_id")");
    EXPECT_EQ(filename_for_header("..\\x"), R"(filename="_x")");
    EXPECT_EQ(filename_for_header(".bashrc"), R"(filename="bashrc")");
    EXPECT_EQ(filename_for_header(".."), R"(filename="file")");
}

TEST(FilenameForHeaderTest, no_line_break_or_control_character_reaches_the_header) {
    EXPECT_EQ(filename_for_header("a\r\nSet-Cookie: b=c"), R"(filename="a__Set-Cookie: b=c")");
    EXPECT_EQ(filename_for_header("a\0b\x7f"sv), R"(filename="a_b_")");
}

// Holds for names that no JSON parser would let through, too.
TEST(FilenameForHeaderTest, any_bytes_give_safe_forms) {
    std::mt19937 random(7);
    for (int round = 0; round < 20000; ++round) {
        std::string name(random() % 40, '\0');
        for (char& c : name) {
            const auto pick = random();
            c = pick % 3 == 0 ? "./\\\"%\r\n;'*"[pick / 3 % 10] : static_cast<char>(pick >> 8);
        }

        const std::string header = filename_for_header(name);
        for (const char c : header) ASSERT_TRUE(c >= ' ' && c <= '~') << header;
        ASSERT_TRUE(header.starts_with("filename=\""));
        const std::string_view rest = std::string_view(header).substr(10);
        const auto quote = rest.find('"');
        ASSERT_NE(quote, std::string_view::npos);
        ASSERT_EQ(rest.substr(0, quote).find('\\'), std::string_view::npos);
        const std::string_view tail = rest.substr(quote + 1);
        ASSERT_TRUE(tail.empty() || tail.starts_with("; filename*=UTF-8''")) << header;
        ASSERT_EQ(tail.substr(std::min<std::size_t>(tail.size(), 2)).find_first_of(" \";,/\\"),
                  std::string_view::npos);

        const std::string segment = filename_for_url(name);
        ASSERT_FALSE(segment.empty());
        ASSERT_NE(segment.front(), '.');
        ASSERT_LE(segment.size(), 765U);
        for (const char c : segment) {
            ASSERT_TRUE(std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                        "-._~%"sv.find(c) != std::string_view::npos)
                << segment;
        }
    }
}

TEST(WithExtension, the_last_extension_is_replaced) {
    EXPECT_EQ(with_extension("scan.tiff", "jpg"), "scan.jpg");
    EXPECT_EQ(with_extension("scan.v2.tif", "jpg"), "scan.v2.jpg");
    EXPECT_EQ(with_extension("scan", "jpg"), "scan.jpg");
    EXPECT_EQ(with_extension(".tiff", "jpg"), ".tiff.jpg");
    EXPECT_EQ(with_extension("scan.", "jpg"), "scan.jpg");
}

TEST(FilenameInUrl, is_the_last_segment_of_the_path) {
    EXPECT_EQ(filename_in_url("https://a.example/x/photo.jpg"), "photo.jpg");
    EXPECT_EQ(filename_in_url("https://a.example/x/photo.jpg?size=1#top"), "photo.jpg");
    EXPECT_EQ(filename_in_url("https://a.example/a%20b%C3%A9.png"), "a b\xc3\xa9.png");
    EXPECT_EQ(filename_in_url("https://a.example/100%.txt"), "100%.txt");
    for (const char* none : {"https://a.example", "https://a.example/", "https://a.example/x/?y"}) {
        EXPECT_EQ(filename_in_url(none), "attachment") << none;
    }
}

TEST(FilenameInUrl, escapes_that_are_no_utf8_stay) {
    for (const char* name : {"%FF.jpg", "%C3.jpg", "%C0%AF.jpg", "%E0%80%AF.jpg", "%ED%A0%80.jpg",
                             "%F0%80%80%80.jpg", "%F4%90%80%80.jpg", "%80.jpg"}) {
        EXPECT_EQ(filename_in_url(std::string("https://a.example/") + name), name);
    }
}

}  // namespace
}  // namespace satchel
