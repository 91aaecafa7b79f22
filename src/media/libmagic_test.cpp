// Our table beside libmagic's: over all samples they agree, or the difference is listed here with
// its reason.
#include "media/detect.hpp"
#include "tests/support/media_samples.hpp"
#include "tests/support/project_file.hpp"
#include "tests/support/run.hpp"

#include <gtest/gtest.h>
#include <magic.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace satchel::media {
namespace {

// Other names of the same type.
const std::map<std::string_view, std::string_view> same_type{
    {"audio/x-hx-aac-adts", "audio/aac"},
    {"audio/mid", "audio/midi"},
    {"image/vnd.microsoft.icon", "image/x-icon"},
    {"application/gzip", "application/x-gzip"},
};

// What libmagic 5.44 says of files that it knows less about, by sample.
const std::map<std::string_view, std::string_view> known_differences{
    // It has no entry for them.
    {"caf.caf", "application/octet-stream"},
    {"mov_without_brand.mov", "application/octet-stream"},
    {"mpeg_ts.mpg", "application/octet-stream"},
    {"mpeg_m2ts.mpg", "application/octet-stream"},
    // It does not look for tracks, nor at the other brands.
    {"mp4_audio_only.mp4", "video/mp4"},
    {"heic_as_mif1.heic", "image/heif"},
    // It does not read the directory of an archive.
    {"key.key", "application/zip"},
    {"key_09.key", "application/zip"},
    {"numbers.numbers", "application/zip"},
    {"pages.pages", "application/zip"},
    {"pages_09.pages", "application/zip"},
    {"pkpass.pkpass", "application/zip"},
    // Its test of compound files wants the size and the properties of real documents.
    {"doc.doc", "application/x-ole-storage"},
    {"doc_late_name.doc", "application/x-ole-storage"},
    {"doc_version_4.doc", "application/x-ole-storage"},
    {"ppt.ppt", "application/x-ole-storage"},
    {"xls.xls", "application/x-ole-storage"},
    {"encrypted.docx", "application/x-ole-storage"},
    {"msg.msg", "application/x-ole-storage"},
    // OpenDocument is no type of the API: it is delivered as the archive that it is.
    {"odt.odt", "application/vnd.oasis.opendocument.text"},
    // It does not look behind a byte order mark, nor for the root element of XML.
    {"vcf_bom.vcf", "text/plain"},
    {"xhtml.html", "text/xml"},
};

struct CloseMagic {
    void operator()(magic_t magic) const { magic_close(magic); }
};
using Magic = std::unique_ptr<magic_set, CloseMagic>;

TEST(LibmagicTest, it_agrees_or_the_difference_is_known) {
    const Magic magic(magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS));
    ASSERT_EQ(magic_load(magic.get(), nullptr), 0) << magic_error(magic.get());
    for (const auto& one : test::media_samples) {
        const std::string bytes =
            test::read_project_file("tests/data/media/" + std::string(one.file));
        const char* answer = magic_buffer(magic.get(), bytes.data(), bytes.size());
        ASSERT_NE(answer, nullptr) << one.file;
        std::string_view theirs = answer;
        if (const auto same = same_type.find(theirs); same != same_type.end()) {
            theirs = same->second;
        }
        BytesContent content(as_bytes(bytes));
        const Detected ours = test::run(detect(content)).value_or(Detected{});
        // Formats that are refused have no type here; a name of the API's must not be theirs.
        if (ours.forbidden != Forbidden::no) continue;
        if (const auto known = known_differences.find(one.file); known != known_differences.end()) {
            EXPECT_EQ(theirs, known->second) << one.file << ": the list is out of date";
            EXPECT_NE(theirs, ours.type) << one.file << ": no difference any more";
            continue;
        }
        EXPECT_EQ(theirs, ours.type.empty() ? "application/octet-stream" : ours.type) << one.file;
    }
}

}  // namespace
}  // namespace satchel::media
