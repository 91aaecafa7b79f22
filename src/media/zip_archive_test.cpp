#include "media/detect.hpp"

#include "base/limits.hpp"
#include "tests/support/run.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::media {
namespace {

using namespace std::string_literals;

constexpr std::string_view docx =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

void append_u16(std::string& out, std::size_t value) {
    out += static_cast<char>(value & 0xFFU);
    out += static_cast<char>(value >> 8U & 0xFFU);
}

enum class Numbers { usual, in_64_bits };

// An archive of empty entries.
std::string zip_of(const std::vector<std::string>& names, Numbers numbers = Numbers::usual) {
    std::string out;
    std::string directory;
    for (const std::string& name : names) {
        const auto fields = [&name](std::string& to) {
            to += std::string(22, '\0');
            append_u16(to, name.size());
            append_u16(to, 0);
        };
        directory += "PK\x01\x02\x14\0"s;
        fields(directory);
        directory += std::string(10, '\0');
        append_u32(directory, static_cast<std::uint32_t>(out.size()));
        directory += name;
        out += "PK\x03\x04"s;
        fields(out);
        out += name;
    }
    const std::size_t offset = out.size();
    out += directory;
    if (numbers == Numbers::in_64_bits) {
        const std::size_t record = out.size();
        out += "PK\x06\x06"s + std::string(36, '\0');
        append_u64(out, directory.size());
        append_u64(out, offset);
        out += "PK\x06\x07"s + std::string(4, '\0');
        append_u64(out, record);
        append_u32(out, 1);
    }
    const bool is_64 = numbers == Numbers::in_64_bits;
    out += "PK\x05\x06"s + std::string(8, '\0');
    append_u32(out, is_64 ? UINT32_MAX : static_cast<std::uint32_t>(directory.size()));
    append_u32(out, is_64 ? UINT32_MAX : static_cast<std::uint32_t>(offset));
    append_u16(out, 0);
    return out;
}

Detected detect_bytes(const std::string& bytes) {
    BytesContent content(as_bytes(bytes));
    return test::run(detect(content)).value_or(Detected{});
}

TEST(ZipArchiveTest, names_decide_in_any_order) {
    EXPECT_EQ(detect_bytes(zip_of({"[Content_Types].xml", "word/document.xml"})).type, docx);
    EXPECT_EQ(detect_bytes(zip_of({"word/document.xml", "a", "[Content_Types].xml"})).type, docx);
    EXPECT_EQ(detect_bytes(zip_of({"word/document.xml"})).type, "application/zip");
    EXPECT_EQ(detect_bytes(zip_of({"[Content_Types].xml"})).type, "application/zip");
    EXPECT_EQ(detect_bytes(zip_of({"a/pass.json"})).type, "application/zip");
    EXPECT_EQ(detect_bytes(zip_of({"pass.json"})).type, "application/vnd.apple.pkpass");
}

TEST(ZipArchiveTest, a_document_that_is_also_a_program_is_forbidden) {
    for (const std::string name :
         {"META-INF/MANIFEST.MF", "meta-inf/Manifest.mf", "AndroidManifest.xml", "classes.dex"}) {
        const auto bytes = zip_of({"[Content_Types].xml", "word/document.xml", name});
        EXPECT_EQ(detect_bytes(bytes).forbidden, Forbidden::program) << name;
    }
}

TEST(ZipArchiveTest, the_directory_counts_and_not_what_stands_in_front) {
    // The first archive's entries are still there; only the second one's can be opened.
    const std::string both = zip_of({"META-INF/MANIFEST.MF"}) + zip_of({"a.txt"});
    EXPECT_EQ(detect_bytes(both).type, "application/zip");
    EXPECT_EQ(detect_bytes(zip_of({"a.txt"}) + zip_of({"classes.dex"})).forbidden,
              Forbidden::program);
}

TEST(ZipArchiveTest, numbers_may_have_64_bits) {
    const auto names = std::vector{"[Content_Types].xml"s, "word/document.xml"s};
    EXPECT_EQ(detect_bytes(zip_of(names, Numbers::in_64_bits)).type, docx);
    EXPECT_EQ(detect_bytes("\x01 in front"s + zip_of(names, Numbers::in_64_bits)).type, docx);
}

TEST(ZipArchiveTest, a_name_far_behind_in_a_long_directory_is_found) {
    std::vector<std::string> names;
    for (int i = 0; i < 20'000; ++i) names.push_back("some/entry/" + std::to_string(i));
    names.emplace_back("classes.dex");
    EXPECT_EQ(detect_bytes(zip_of(names)).forbidden, Forbidden::program);
}

TEST(ZipArchiveTest, a_directory_beyond_the_limits_leaves_a_guess) {
    std::vector<std::string> names(limits::detect_zip_entries_max + 10, "a");
    names.emplace_back("[Content_Types].xml");
    const Detected found = detect_bytes(zip_of(names));
    EXPECT_EQ(found.type, "application/zip");
    EXPECT_EQ(found.certainty, Certainty::guess);
}

TEST(ZipArchiveTest, a_directory_that_points_anywhere_leaves_the_first_entries) {
    const std::string good = zip_of({"[Content_Types].xml", "word/document.xml"});
    // Size and offset of the directory, in the end record.
    for (std::size_t at = good.size() - 10; at < good.size() - 2; ++at) {
        for (const char value : {'\x7f', '\xff', '\x01'}) {
            std::string bad = good;
            bad[at] = value;
            const Detected found = detect_bytes(bad);
            EXPECT_TRUE(found.type == docx || found.certainty == Certainty::guess)
                << at << found.format;
        }
    }
}

}  // namespace
}  // namespace satchel::media
